import { useEffect, useRef, useState } from "react";
import type { ReplayAxis } from "../model/replay_axis.ts";
import {
  advancePlayback,
  type Playback,
  type Speed,
  startPlayback,
} from "../model/replay_playback.ts";

export interface PlaybackControl {
  readonly isPlaying: boolean;
  readonly toggle: () => void;
  readonly pause: () => void;
}

/** Moves the moment on while it plays; stops at the end. */
export function usePlayback(
  axis: ReplayAxis,
  row: number,
  speed: Speed,
  seek: (row: number) => void,
): PlaybackControl {
  const [isPlaying, setPlaying] = useState(false);
  const latest = useRef({ row, speed, seek });
  useEffect(() => {
    latest.current = { row, speed, seek };
  });
  useEffect(() => {
    if (!isPlaying) return;
    let playback: Playback = startPlayback(axis, latest.current.row);
    let before = performance.now();
    let frame = requestAnimationFrame(function step(now) {
      playback = advancePlayback(axis, playback, latest.current.speed, Math.max(now - before, 0));
      before = now;
      if (playback.row !== latest.current.row) latest.current.seek(playback.row);
      if (playback.isOver) setPlaying(false);
      else frame = requestAnimationFrame(step);
    });
    return () => cancelAnimationFrame(frame);
  }, [isPlaying, axis]);
  return {
    isPlaying,
    toggle: () => setPlaying((playing) => !playing),
    pause: () => setPlaying(false),
  };
}
