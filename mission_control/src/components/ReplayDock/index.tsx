import "./index.css";
import type { TimeTravel } from "../../hooks/useTimeTravel.ts";
import { safeLine } from "../../model/safe_text.ts";
import { Empty, ErrorNotice, Loading } from "../Notice/index.tsx";
import { ReplaySlider } from "../ReplaySlider/index.tsx";

const NAME_LENGTH = 60;

interface ReplayDockProps {
  readonly travel: TimeTravel;
  readonly isOpen: boolean;
  readonly onOpen: () => void;
  /** Absent where the slider is always there. */
  readonly onClose?: () => void;
}

/** The place of the slider: a button until a run is to be replayed, then what its history is. */
export function ReplayDock({ travel, isOpen, onOpen, onClose }: ReplayDockProps) {
  const { run, runId, isPast, isLoading, error, reload } = travel;
  if (!isOpen && !isPast) {
    return (
      <button
        type="button"
        className="replay-open"
        title={safeLine(runId, NAME_LENGTH)}
        onClick={onOpen}
        disabled={runId === ""}
      >
        <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
          <path d="M8 2.5a5.5 5.5 0 1 1-5.2 3.7M2.5 2.5v4h4M8 5v3.5l2.5 1.5" />
        </svg>
        {runId === "" ? "No run to replay yet" : "Replay this run"}
      </button>
    );
  }
  if (error !== null && error !== undefined) return <ErrorNotice error={error} retry={reload} />;
  if (isLoading || run === undefined) return <Loading what="the history of the run" />;
  if (run.columns.rows === 0) {
    return <Empty title="This run has no events in history yet" />;
  }
  return (
    <div className="replay-dock">
      <ReplaySlider run={run} moment={travel.moment} />
      {onClose ? (
        <button
          type="button"
          className="replay-dock-close quiet"
          aria-label="Close replay"
          title="Close replay"
          onClick={() => {
            travel.moment.leave();
            onClose();
          }}
        >
          ×
        </button>
      ) : null}
    </div>
  );
}
