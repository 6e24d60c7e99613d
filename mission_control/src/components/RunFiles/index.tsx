import "./index.css";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useUrlState } from "../../hooks/useUrlState.ts";
import { sizeText } from "../../model/amounts.ts";
import { buildPathTree, linesOf, toggled } from "../../model/path_tree.ts";
import { formatAt, parseMoment } from "../../model/replay_moment.ts";
import { workspaceNames } from "../../model/workspace_names.ts";
import { queryKey, type ResourceNow, type RunDetail, traceApi } from "../../services/trace_api.ts";
import { Empty, ErrorNotice, Loading } from "../Notice/index.tsx";
import { ResourceView } from "../ResourceView/index.tsx";
import { Tree } from "../Tree/index.tsx";
import { WhyPanel } from "../WhyPanel/index.tsx";

interface RunFilesProps {
  readonly run: RunDetail;
  readonly hrefOf: (eventId: string) => string;
}

/** The files of a run's workspaces, and one of them through time. */
export function RunFiles({ run, hrefOf }: RunFilesProps) {
  const url = useUrlState();
  const workspaces = run.workspaces.map(({ workspace_id }) => workspace_id);
  const names = useMemo(() => workspaceNames(run), [run]);
  const wanted = url.get("workspace");
  const workspaceId = workspaces.includes(wanted) ? wanted : (workspaces[0] ?? "");
  const asked = useQuery({
    queryKey: queryKey("resources", workspaceId, run.last_event_at),
    queryFn: ({ signal }) => traceApi.resources({ workspace_id: workspaceId }, signal),
    enabled: workspaceId !== "",
    placeholderData: (previous) => previous,
  });
  const file = url.get("file");
  const line = Number.parseInt(url.get("line"), 10) || null;
  if (workspaceId === "") return <Empty title="This run has no workspace" />;
  return (
    <div className="run-files">
      <div className="panel run-files-tree">
        {workspaces.length > 1 ? (
          <label className="run-files-choice">
            <span className="visually-hidden">Workspace</span>
            <select
              value={workspaceId}
              onChange={(event) =>
                url.set({
                  workspace: event.target.value,
                  file: null,
                  line: null,
                  from: null,
                  to: null,
                })
              }
            >
              {workspaces.map((id) => (
                <option key={id} value={id}>
                  {names.get(id)}
                </option>
              ))}
            </select>
          </label>
        ) : null}
        {asked.isPending ? <Loading what="the files" /> : null}
        {asked.isError ? (
          <ErrorNotice error={asked.error} retry={() => void asked.refetch()} />
        ) : null}
        {asked.data ? (
          <FileTree
            files={asked.data.items}
            selected={file}
            onOpen={(name) =>
              url.set(
                { file: name, line: null, from: null, to: null, at: null, event: null },
                "push",
              )
            }
          />
        ) : null}
      </div>
      <div className="panel run-files-file">
        {file ? (
          <ResourceView
            key={`${workspaceId} ${file}`}
            name={file}
            workspaceId={workspaceId}
            from={url.get("from")}
            to={url.get("to")}
            at={url.get("at")}
            line={line}
            hrefOf={hrefOf}
          >
            <WhyPanel
              resource={file}
              line={line}
              workspaceId={workspaceId}
              at={url.get("to") || momentOf(url.get("at"))}
              hrefOf={hrefOf}
            />
          </ResourceView>
        ) : (
          <Empty title="Choose a file">
            What it was at any two moments, who changed it, and why. Files in bold were changed.
          </Empty>
        )}
      </div>
    </div>
  );
}

/** What the API takes for a moment that the address names by its place. */
function momentOf(at: string): string {
  const place = parseMoment(at);
  return place === null ? "" : formatAt(place);
}

interface FileTreeProps {
  readonly files: readonly ResourceNow[];
  readonly selected: string;
  readonly onOpen: (name: string) => void;
}

function FileTree({ files, selected, onOpen }: FileTreeProps) {
  const [areAll, showAll] = useState(false);
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set());
  const tree = useMemo(
    () => buildPathTree(files.map((file, id) => ({ path: file.name, id }))),
    [files],
  );
  const hasChanges = files.some(({ changes }) => changes > 0);
  const lines = useMemo(
    () => linesOf(tree, (id) => areAll || !hasChanges || (files[id]?.changes ?? 0) > 0, collapsed),
    [tree, files, areAll, hasChanges, collapsed],
  );
  if (files.length === 0) return <Empty title="It holds no files" />;
  const chosen = lines.find((line) => files[line.id]?.name === selected)?.key ?? "";
  return (
    <>
      {hasChanges ? (
        <button
          type="button"
          className="quiet"
          aria-pressed={areAll}
          onClick={() => showAll(!areAll)}
        >
          {areAll ? "Changed files only" : `All ${files.length} files`}
        </button>
      ) : null}
      <div className="run-files-lines">
        <Tree
          label={`${lines.length} lines of files`}
          lines={lines}
          selected={chosen}
          onToggle={(line) => setCollapsed(toggled(collapsed, line.key))}
          onSelect={(line) => onOpen(files[line.id]?.name ?? "")}
          beside={(line) => {
            const file = files[line.id];
            return file ? (
              <>
                {file.changes > 0 ? <b>{file.changes}× </b> : null}
                {sizeText(file.size_bytes)}
              </>
            ) : null;
          }}
        />
      </div>
    </>
  );
}
