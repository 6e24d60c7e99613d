import "./index.css";
import { useId, useState } from "react";
import type { ReplayColumns } from "../../model/replay_columns.ts";
import { restoreCommand, workspacesOf } from "../../model/replay_moment.ts";
import { safeText } from "../../model/safe_text.ts";

interface RestoreNoticeProps {
  readonly columns: ReplayColumns;
  readonly row: number;
  readonly onClose: () => void;
}

/** The command that brings the files of the moment back, to be copied. */
export function RestoreNotice({ columns, row, onClose }: RestoreNoticeProps) {
  const workspaces = workspacesOf(columns);
  const [chosen, choose] = useState("");
  const [copied, setCopied] = useState("");
  const workspace = workspaces.includes(chosen) ? chosen : (workspaces[0] ?? "");
  const command = restoreCommand(columns, row, workspace);
  const field = useId();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(command);
      setCopied(command);
    } catch {
      // Browsers refuse where the page is not secure: the text stays there to be selected.
      setCopied("");
    }
  };
  return (
    <section className="restore-notice" aria-label="Restore the files of this moment">
      <p>Writes the files of this moment into a new directory; nothing else is touched.</p>
      {workspaces.length > 1 ? (
        <label htmlFor={field}>
          Workspace{" "}
          <select id={field} value={workspace} onChange={(event) => choose(event.target.value)}>
            {workspaces.map((id) => (
              <option key={id} value={id}>
                {safeText(id)}
              </option>
            ))}
          </select>
        </label>
      ) : null}
      <div className="restore-notice-command">
        <code>{safeText(command)}</code>
        <button type="button" onClick={() => void copy()}>
          {copied === command ? "Copied" : "Copy"}
        </button>
        <button type="button" className="quiet" onClick={onClose}>
          Close
        </button>
      </div>
      <span className="visually-hidden" role="status">
        {copied === command ? "Command copied" : ""}
      </span>
    </section>
  );
}
