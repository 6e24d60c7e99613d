import "./index.css";
import { durationText } from "../../model/amounts.ts";
import { safeLine } from "../../model/safe_text.ts";
import { Link } from "../../router.tsx";
import type { Task } from "../../services/trace_api.ts";
import { CloseButton } from "../CloseButton/index.tsx";
import { Facts } from "../Facts/index.tsx";
import { LongText } from "../LongText/index.tsx";
import { StatusPill } from "../StatusPill/index.tsx";

interface TaskPanelProps {
  readonly task: Task;
  readonly hrefOf: (eventId: string) => string;
  readonly onClose: () => void;
}

const LINE_LIMIT = 200;

/** Everything that is known of one task. */
export function TaskPanel({ task, hrefOf, onClose }: TaskPanelProps) {
  const { started_at: began, ended_at: ended } = task;
  const took = began && ended ? durationText(Date.parse(ended) - Date.parse(began)) : null;
  return (
    <aside className="task-panel" aria-label="Task">
      <header className="task-panel-head">
        <h2 className="untrusted">{safeLine(task.title, LINE_LIMIT) || task.task_id}</h2>
        <CloseButton label="Close task" onClose={onClose} />
      </header>
      <StatusPill status={task.state} />
      {task.reason ? <LongText text={task.reason} /> : null}
      <Facts
        form="list"
        facts={[
          ["Role", safeLine(task.role.toLowerCase(), LINE_LIMIT)],
          ["Worker", safeLine(task.worker, LINE_LIMIT)],
          ["Attempt", String(task.attempt)],
          ["Began", began ? began.slice(0, 19).replace("T", " ") : null],
          ["Took", took],
          ["Waits for", task.depends_on.map((one) => safeLine(one, LINE_LIMIT)).join(", ")],
          ["Id", <code key="id">{safeLine(task.task_id, LINE_LIMIT)}</code>],
        ]}
      />
      <section>
        <h3>As it was created</h3>
        <LongText text={JSON.stringify(task.document, null, 2)} form="code" />
      </section>
      {task.result ? (
        <section>
          <h3>What came of it</h3>
          <LongText text={JSON.stringify(task.result, null, 2)} form="code" />
        </section>
      ) : null}
      <Link className="button" href={hrefOf(task.event_id)}>
        Its newest event
      </Link>
    </aside>
  );
}
