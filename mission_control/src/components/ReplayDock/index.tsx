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
      <div className="replay-dock replay-dock-closed">
        <button type="button" onClick={onOpen} disabled={runId === ""}>
          {runId === "" ? "No run to replay yet" : `Replay run ${safeLine(runId, NAME_LENGTH)}`}
        </button>
      </div>
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
