import "./index.css";
import { safeLine } from "../../model/safe_text.ts";
import { boardOf } from "../../model/task_board.ts";
import { Link } from "../../router.tsx";
import type { Task } from "../../services/trace_api.ts";
import { Empty } from "../Notice/index.tsx";
import { RoleMark } from "../RoleMark/index.tsx";
import { StatusPill } from "../StatusPill/index.tsx";

interface TaskBoardProps {
  readonly tasks: readonly Task[];
  readonly selected: string;
  readonly hrefOf: (taskId: string) => string;
}

const LINE_LIMIT = 200;

/** The tasks of a run, in a column for each stage. */
export function TaskBoard({ tasks, selected, hrefOf }: TaskBoardProps) {
  if (tasks.length === 0) return <Empty title="This run has no tasks" />;
  return (
    <div className="task-board">
      {boardOf(tasks).map((column) => (
        <section key={column.name} aria-label={column.name} className="task-column">
          <h2>
            {column.name} <span className="faint">{column.tasks.length}</span>
          </h2>
          <ul>
            {column.tasks.map((task) => (
              <li key={task.task_id}>
                <Link
                  href={hrefOf(task.task_id)}
                  className="task-card"
                  aria-current={task.task_id === selected}
                >
                  <span className="task-title untrusted">
                    {safeLine(task.title, LINE_LIMIT) || safeLine(task.task_id, LINE_LIMIT)}
                  </span>
                  <span className="task-facts">
                    <RoleMark role={task.role.toUpperCase()} />
                    <StatusPill status={task.state} />
                    {task.attempt > 1 ? <span className="soft">attempt {task.attempt}</span> : null}
                  </span>
                  {task.worker ? (
                    <span className="untrusted line faint">
                      {safeLine(task.worker, LINE_LIMIT)}
                    </span>
                  ) : null}
                  {task.reason ? (
                    <span className="untrusted soft task-reason" dir="auto">
                      {safeLine(task.reason, LINE_LIMIT)}
                    </span>
                  ) : null}
                </Link>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}
