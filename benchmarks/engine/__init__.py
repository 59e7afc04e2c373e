"""The engine against its peers, side by side: `make bench-engine`, or `python -m benchmarks.engine --help`.

Every contender is a process of its own, pinned to the same core, and measured by the CPU time it
takes; they take turns (A B C A B C …) and what is compared are medians of the same run, so that a
machine that slows down slows all of them. A first round of each is not counted.

| part | what it prints |
|---|---|
| formats | all features of three minutes as WAV, FLAC, MP3: harken, its peers, and the limit that decoding sets |
| one-shots | half-second files, a thousand of them |
| fresh | wall and CPU time of a new process up to its first result |
| progress | what reports of progress cost, and how long they stay out |
| memory | what a worker's child holds of its own; with `--memory` also the peaks over ten hours and ten minutes |

`--memory` writes 3 GB into the temporary folder (TMPDIR) and takes minutes, so it is asked for.
The music is composed and mastered loud by `material`; nothing is read from outside.
"""
