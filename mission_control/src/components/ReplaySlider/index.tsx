import "./index.css";
import { type KeyboardEvent, type PointerEvent, useEffect, useState } from "react";
import { useDensityCanvas } from "../../hooks/useDensityCanvas.ts";
import { type PlaybackControl, usePlayback } from "../../hooks/usePlayback.ts";
import { usePreference } from "../../hooks/usePreference.ts";
import type { ReplayMoment } from "../../hooks/useReplay.ts";
import { describeRow, type ReplayRun } from "../../model/replay.ts";
import { fractionOfRow, rowAtFraction } from "../../model/replay_axis.ts";
import { placeOf, timeOf } from "../../model/replay_columns.ts";
import { markAfter, markBefore } from "../../model/replay_marks.ts";
import { formatAt } from "../../model/replay_moment.ts";
import { SPEEDS, type Speed } from "../../model/replay_playback.ts";
import { safeLine } from "../../model/safe_text.ts";
import { clock } from "../../model/time_text.ts";
import { RestoreNotice } from "../RestoreNotice/index.tsx";

const SPEED_LABELS: Readonly<Record<Speed, string>> = { "1": "1×", "10": "10×", max: "Max" };
/** Share of the run that a page key moves by. */
const PAGE = 0.05;
const DESCRIPTION_LENGTH = 120;

interface ReplaySliderProps {
  readonly run: ReplayRun;
  readonly moment: ReplayMoment;
}

/** Scrubs through a run: a strip of what happened when, and the moment that everything shows. */
export function ReplaySlider({ run, moment }: ReplaySliderProps) {
  const [speed, setSpeed] = usePreference<Speed>("replay-speed", SPEEDS, "10");
  const [isRestoring, setRestoring] = useState(false);
  const last = run.columns.rows - 1;
  const row = moment.row ?? last;
  const playback = usePlayback(run.axis, row, speed, moment.seek);
  const { isPlaying, pause } = playback;
  const isLive = moment.row === null;
  useEffect(() => {
    if (isLive) setRestoring(false);
  }, [isLive]);
  return (
    <section className="replay-slider" aria-label="Replay">
      <div className="replay-slider-bar">
        <button
          type="button"
          className="replay-slider-play"
          aria-label={isPlaying ? "Pause" : "Play"}
          onClick={playback.toggle}
        >
          <PlayShape isPlaying={isPlaying} />
        </button>
        <SpeedChoice speed={speed} onChoose={setSpeed} />
        <Strip run={run} moment={moment} row={row} playback={playback} />
        <button
          type="button"
          aria-pressed={isRestoring}
          onClick={() => {
            pause();
            if (isLive) moment.seek(last);
            setRestoring(!isRestoring);
          }}
        >
          Restore here
        </button>
        <button
          type="button"
          aria-pressed={isLive}
          onClick={() => {
            pause();
            moment.leave();
          }}
        >
          Live
        </button>
      </div>
      <Caption run={run} row={row} isLive={isLive} moment={moment} />
      {isRestoring && !isLive ? (
        <RestoreNotice columns={run.columns} row={row} onClose={() => setRestoring(false)} />
      ) : null}
    </section>
  );
}

interface StripProps extends ReplaySliderProps {
  readonly row: number;
  readonly playback: PlaybackControl;
}

function Strip({ run, moment, row, playback }: StripProps) {
  const canvas = useDensityCanvas(run);
  const last = run.columns.rows - 1;
  const at = `${fractionOfRow(run.axis, row) * 100}%`;
  const seekPointer = (event: PointerEvent<HTMLDivElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    moment.seek(rowAtFraction(run.axis, (event.clientX - left) / Math.max(width, 1)));
  };
  const seekKey = (event: KeyboardEvent<HTMLDivElement>) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " ") playback.toggle();
    else {
      const to = rowOfKey(run, row, event.key, event.shiftKey);
      if (to === undefined) return;
      playback.pause();
      moment.seek(to);
    }
    event.preventDefault();
  };
  return (
    <div
      className="replay-slider-strip"
      role="slider"
      tabIndex={0}
      aria-label="Moment of the run"
      aria-valuemin={1}
      aria-valuemax={last + 1}
      aria-valuenow={row + 1}
      aria-valuetext={valueText(run, row)}
      onKeyDown={seekKey}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        playback.pause();
        seekPointer(event);
      }}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) seekPointer(event);
      }}
    >
      <canvas ref={canvas} />
      <div className="replay-slider-future" style={{ left: at }} />
      <div className="replay-slider-thumb" style={{ left: at }} />
    </div>
  );
}

/** The row that a key leads to; undefined: the key means something else. */
function rowOfKey(run: ReplayRun, row: number, key: string, isShift: boolean): number | undefined {
  const last = run.columns.rows - 1;
  const page = Math.max(Math.round(run.columns.rows * PAGE), 1);
  switch (key) {
    case "ArrowRight":
    case "ArrowUp":
      return isShift ? (markAfter(run.marks, row) ?? last) : row + 1;
    case "ArrowLeft":
    case "ArrowDown":
      return isShift ? (markBefore(run.marks, row) ?? 0) : row - 1;
    case "PageUp":
      return row + page;
    case "PageDown":
      return row - page;
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return undefined;
  }
}

function Caption(props: {
  readonly run: ReplayRun;
  readonly row: number;
  readonly isLive: boolean;
  readonly moment: ReplayMoment;
}) {
  const { run, row, isLive } = props;
  const { columns } = run;
  const state = props.moment.state ?? run.index.stateAt(row);
  return (
    <p className="replay-slider-caption">
      <span className="replay-slider-when" data-live={isLive}>
        {isLive ? "Live" : clock(timeOf(columns, row))}
      </span>
      <span>
        event {(row + 1).toLocaleString("en")} of {columns.rows.toLocaleString("en")}
      </span>
      <span className="mono faint">{formatAt(placeOf(columns, row))}</span>
      <span className="replay-slider-what untrusted line">
        {safeLine(describeRow(columns, row), DESCRIPTION_LENGTH)}
      </span>
      <span>{state.decisions.toLocaleString("en")} decisions</span>
      <span>{state.changes.toLocaleString("en")} changes</span>
      <span data-error={state.errors > 0}>{state.errors.toLocaleString("en")} errors</span>
    </p>
  );
}

function SpeedChoice(props: { readonly speed: Speed; readonly onChoose: (speed: Speed) => void }) {
  return (
    <fieldset className="replay-slider-speeds">
      <legend className="visually-hidden">Speed</legend>
      {SPEEDS.map((speed) => (
        <button
          key={speed}
          type="button"
          aria-pressed={props.speed === speed}
          onClick={() => props.onChoose(speed)}
        >
          {SPEED_LABELS[speed]}
        </button>
      ))}
    </fieldset>
  );
}

function PlayShape({ isPlaying }: { readonly isPlaying: boolean }) {
  return (
    <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      <path d={isPlaying ? "M4 3h3v10H4zM9 3h3v10H9z" : "M4 2.5v11l9-5.5z"} fill="currentColor" />
    </svg>
  );
}

function valueText(run: ReplayRun, row: number): string {
  const what = safeLine(describeRow(run.columns, row), DESCRIPTION_LENGTH);
  return `event ${row + 1} of ${run.columns.rows}, ${clock(timeOf(run.columns, row))}, ${what}`;
}
