"""The daemon: watches prompts, refs and remotes, and runs the engine's one pass whenever something may have changed.

The core (`debounce`, `schedule`, `standing`, `machine`) is values in, values out, with the time passed in. Around it is
a thin shell of observer threads, a listener, signals and one worker that does the work (`loop`, `work`, `watch`,
`webhook`).
"""
