"""Benchmarks of tcpsnoop against the programs it is compared with.

`python -m bench` runs them all; `docs/performance.md` holds the results.

- `speed`, `reports`, `memory`, `start`, `live`: a benchmark each
- `captures`: the capture files they read, made once; `traffic` says who sends what when, `frames`
  writes it down
- `programs`: the programs, and how each is called; `native`: those written in C, compiled here
- `measure`: running a program, times, peak memory, medians; `targets`: what must be reached
- `machine`, `page`: where it ran, and where the results are written
"""
