import { type RefObject, useEffect, useRef, useState } from "react";
import {
  GraphStage,
  type Hovered,
  type StageCallbacks,
  type StageContent,
} from "../services/graph_stage.ts";

export interface StageHandle {
  readonly canvas: RefObject<HTMLCanvasElement | null>;
  readonly surface: RefObject<HTMLDivElement | null>;
  readonly stage: RefObject<GraphStage | null>;
  readonly hovered: Hovered | null;
  readonly isFollowing: boolean;
}

type Chosen = Pick<StageCallbacks, "selected" | "opened">;

/** The graph's canvas, drawn whenever what it shows has changed. `version` grows with the graph. */
export function useGraphStage(content: StageContent, version: number, chosen: Chosen): StageHandle {
  const canvas = useRef<HTMLCanvasElement>(null);
  const surface = useRef<HTMLDivElement>(null);
  const stage = useRef<GraphStage>(null);
  const latest = useRef(chosen);
  const [hovered, setHovered] = useState<Hovered | null>(null);
  const [isFollowing, setFollowing] = useState(true);
  const { graph, until, selected } = content;
  useEffect(() => {
    latest.current = chosen;
  });
  useEffect(() => {
    if (canvas.current === null || surface.current === null) return;
    const begun = new GraphStage(canvas.current, surface.current, {
      selected: (key) => latest.current.selected(key),
      opened: (key) => latest.current.opened(key),
      hovered: setHovered,
      followed: setFollowing,
    });
    stage.current = begun;
    return () => {
      begun.end();
      stage.current = null;
    };
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the graph grows in place; its version tells
  useEffect(() => {
    stage.current?.show({ graph, until, selected });
  }, [graph, until, selected, version]);
  return { canvas, surface, stage, hovered, isFollowing };
}
