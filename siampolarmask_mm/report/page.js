'use strict';

function startPlayer(video) {
  const player = video.querySelector('.player');
  if (!player) return;
  const { delay, length, frames } = JSON.parse(player.querySelector('script').textContent);
  const screen = player.querySelector('.screen');
  const button = player.querySelector('.play');
  const slider = player.querySelector('input');
  const output = player.querySelector('output');
  const curves = video.querySelector('.curves');
  const cursor = curves.querySelector('.cursor');
  const left = Number(curves.dataset.left);
  const right = Number(curves.dataset.right);
  const width = curves.viewBox.baseVal.width;
  let images = null;
  let timer = null;

  function show(index) {
    const frame = frames[index];
    screen.src = frame.picture;
    slider.value = index;
    output.textContent = `${frame.name} · J ${frame.region}`;
    slider.setAttribute('aria-valuetext', `frame ${frame.name}, J ${frame.region}`);
    const share = length > 1 ? frame.position / (length - 1) : 0;
    const x = width * (left + (right - left) * share);
    cursor.setAttribute('x1', x);
    cursor.setAttribute('x2', x);
    cursor.removeAttribute('hidden');
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    button.textContent = 'Play';
  }

  function play() {
    // Decoded once, so that the first round does not flicker.
    images ??= frames.map((frame) => Object.assign(new Image(), { src: frame.picture }));
    timer = setInterval(() => show((Number(slider.value) + 1) % frames.length), delay);
    button.textContent = 'Pause';
  }

  function seek(position) {
    stop();
    const distances = frames.map((frame) => Math.abs(frame.position - position));
    show(distances.indexOf(Math.min(...distances)));
  }

  button.addEventListener('click', () => (timer === null ? play() : stop()));
  slider.addEventListener('input', () => {
    stop();
    show(Number(slider.value));
  });
  curves.classList.add('seekable');
  curves.addEventListener('click', (event) => {
    const box = curves.getBoundingClientRect();
    const share = ((event.clientX - box.left) / box.width - left) / (right - left || 1);
    seek(Math.round(Math.min(1, Math.max(0, share)) * (length - 1)));
  });
  for (const link of video.querySelectorAll('.seek')) {
    link.disabled = false;
    link.title = 'Show in the player';
    link.addEventListener('click', () => {
      seek(Number(link.dataset.position));
      player.scrollIntoView({ block: 'nearest' });
    });
  }
  player.querySelector('.controls').hidden = false;
  show(0);
}

function makeSortable(table) {
  const body = table.tBodies[0];
  const headers = [...table.tHead.rows[0].cells];
  const value = (row, column) => row.cells[column].dataset.value;

  function sort(column) {
    const header = headers[column];
    const ascending = header.getAttribute('aria-sort') !== 'ascending';
    headers.forEach((other) => other.removeAttribute('aria-sort'));
    header.setAttribute('aria-sort', ascending ? 'ascending' : 'descending');
    const rows = [...body.rows].sort((a, b) =>
      column === 0
        ? value(a, column).localeCompare(value(b, column))
        : value(a, column) - value(b, column));
    body.append(...(ascending ? rows : rows.reverse()));
  }

  headers.forEach((header, column) => {
    if (body.rows[0].cells[column].dataset.value === undefined) return;
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = header.textContent;
    header.replaceChildren(button);
    button.addEventListener('click', () => sort(column));
  });
  headers.find((header) => header.textContent === 'J&F-Mean').setAttribute('aria-sort', 'ascending');
}

document.querySelectorAll('.video').forEach(startPlayer);
document.querySelectorAll('.sortable').forEach(makeSortable);
