"""README's example runs as it is pasted."""

import re
import subprocess
import sys
from pathlib import Path

from siampolarmask_mm.datasets.synthetic import write_davis

ROOT = Path(__file__).parents[1]


def test_the_example_runs_where_make_demo_has_been(tmp_path):
    (code,) = re.findall(r'```python\n(.*?)```', (ROOT / 'README.md').read_text(), re.S)
    demo = tmp_path / 'work_dirs' / 'demo'
    write_davis(demo / 'clips', dict(val=1), num_frames=3, size=(180, 320))
    code += '\nprint(number, *result.masks.shape, "rays" in result, "centers" in result)'
    command = [sys.executable, '-c', code]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.stdout.splitlines()[-1:] == ['2 1 180 320 True True'], run.stderr
