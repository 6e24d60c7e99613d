import "./index.css";
import { useId, useMemo, useState } from "react";
import { sizeText } from "../../model/amounts.ts";
import { linesOf, type TreeLine, toggled } from "../../model/path_tree.ts";
import type { ReplayRun } from "../../model/replay.ts";
import { placeOf } from "../../model/replay_columns.ts";
import type { ReplayState } from "../../model/replay_index.ts";
import { formatMoment, workspacesOf } from "../../model/replay_moment.ts";
import { buildWorkspaceTree, changeAt, existsAt } from "../../model/replay_tree.ts";
import { safeLine } from "../../model/safe_text.ts";
import { Empty } from "../Notice/index.tsx";
import { Tree } from "../Tree/index.tsx";

const NAME_LENGTH = 60;

interface WorkspaceTreeProps {
  readonly run: ReplayRun;
  readonly state: ReplayState;
  /** Called with a file, and the moment of its newest change as the address writes it. */
  readonly onOpen: (file: { workspaceId: string; name: string; at: string }) => void;
}

/** What the run had changed by the moment shown: the files that existed then, by directory. */
export function WorkspaceTree({ run, state, onOpen }: WorkspaceTreeProps) {
  const { columns } = run;
  const workspaces = useMemo(() => workspacesOf(columns), [columns]);
  const [chosen, choose] = useState("");
  const [selected, select] = useState("");
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set());
  const field = useId();
  const workspace = workspaces.includes(chosen) ? chosen : (workspaces[0] ?? "");
  const tree = useMemo(() => buildWorkspaceTree(columns, workspace), [columns, workspace]);
  const lines = useMemo(
    () => linesOf(tree, (id) => existsAt(columns, state, id), collapsed),
    [tree, columns, state, collapsed],
  );
  const open = (line: TreeLine) => {
    const change = changeAt(state, line.id);
    const resource = columns.resources[line.id];
    if (change === null || resource === undefined) return;
    select(line.key);
    const at = formatMoment(placeOf(columns, change));
    onOpen({ workspaceId: workspace, name: resource.name, at });
  };
  return (
    <section className="workspace-tree" aria-label="Workspace">
      {workspaces.length > 1 ? (
        <label className="workspace-tree-choice" htmlFor={field}>
          <span className="visually-hidden">Workspace</span>
          <select id={field} value={workspace} onChange={(event) => choose(event.target.value)}>
            {workspaces.map((id) => (
              <option key={id} value={id}>
                {safeLine(id, NAME_LENGTH)}
              </option>
            ))}
          </select>
        </label>
      ) : null}
      {lines.length === 0 ? (
        <Empty title="Nothing was changed here yet at this moment" />
      ) : (
        <Tree
          label={`Files at this moment, ${lines.length} lines`}
          lines={lines}
          selected={selected}
          onToggle={(line) => setCollapsed(toggled(collapsed, line.key))}
          onSelect={open}
          isFresh={(line) => !line.isDirectory && changeAt(state, line.id) === state.row}
          beside={(line) =>
            line.isDirectory
              ? line.count.toLocaleString("en")
              : sizeText(columns.size[changeAt(state, line.id) ?? 0] ?? 0)
          }
        />
      )}
    </section>
  );
}
