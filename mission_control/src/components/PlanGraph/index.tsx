import "./index.css";
import { layOut, type PlacedNode } from "../../model/plan_layout.ts";
import { safeLine } from "../../model/safe_text.ts";
import { Link } from "../../router.tsx";
import type { Task } from "../../services/trace_api.ts";
import { Empty } from "../Notice/index.tsx";
import { RoleMark } from "../RoleMark/index.tsx";
import { StatusPill } from "../StatusPill/index.tsx";

interface PlanGraphProps {
  readonly tasks: readonly Task[];
  readonly selected: string;
  readonly hrefOf: (taskId: string) => string;
}

const NODE = { width: 200, height: 58 } as const;
const GAP = { x: 56, y: 16 } as const;
const TITLE_LENGTH = 80;

/** The plan of a run: each task right of those that it waits for. */
export function PlanGraph({ tasks, selected, hrefOf }: PlanGraphProps) {
  if (tasks.length === 0) return <Empty title="This run has no plan" />;
  const layout = layOut(tasks.map((task) => ({ id: task.task_id, after: task.depends_on })));
  const places = new Map(layout.nodes.map((node) => [node.id, node]));
  const width = layout.columns * (NODE.width + GAP.x) - GAP.x;
  const height = layout.rows * (NODE.height + GAP.y) - GAP.y;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
    <section className="plan-graph" tabIndex={0} aria-label="Plan">
      <div className="plan-graph-room" style={{ width, height }}>
        <svg width={width} height={height} aria-hidden="true">
          {layout.edges.map(([from, to]) => {
            const [a, b] = [places.get(from), places.get(to)];
            return a && b ? <path key={`${from} ${to}`} d={curve(a, b)} /> : null;
          })}
        </svg>
        <ul>
          {tasks.map((task) => {
            const place = places.get(task.task_id);
            return place === undefined ? null : (
              <li
                key={task.task_id}
                style={{
                  left: leftOf(place),
                  top: topOf(place),
                  width: NODE.width,
                  height: NODE.height,
                }}
              >
                <Link
                  href={hrefOf(task.task_id)}
                  className="plan-node"
                  aria-current={task.task_id === selected}
                >
                  <span className="untrusted line">
                    {safeLine(task.title, TITLE_LENGTH) || safeLine(task.task_id, TITLE_LENGTH)}
                  </span>
                  <span className="plan-node-facts">
                    <RoleMark role={task.role.toUpperCase()} />
                    <StatusPill status={task.state} />
                  </span>
                  {task.depends_on.length > 0 ? (
                    <span className="visually-hidden">
                      waits for {safeLine(task.depends_on.join(", "), TITLE_LENGTH)}
                    </span>
                  ) : null}
                </Link>
              </li>
            );
          })}
        </ul>
      </div>
    </section>
  );
}

function leftOf({ column }: PlacedNode): number {
  return column * (NODE.width + GAP.x);
}

function topOf({ row }: PlacedNode): number {
  return row * (NODE.height + GAP.y);
}

function curve(from: PlacedNode, to: PlacedNode): string {
  const [x1, y1] = [leftOf(from) + NODE.width, topOf(from) + NODE.height / 2];
  const [x2, y2] = [leftOf(to), topOf(to) + NODE.height / 2];
  const bend = Math.max((x2 - x1) / 2, GAP.x / 2);
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}
