import { type RefObject, useEffect, useRef } from "react";
import { buildDensity } from "../model/density.ts";
import { paintDensity } from "../model/density_paint.ts";
import type { ReplayRun } from "../model/replay.ts";
import { readDensityPalette, watchTheme } from "../services/graph_palette.ts";

/** Width of a bar with the gap beside it, pixels. */
const BAR_PIXELS = 3;

/** A canvas that shows how much happened when in a run; drawn anew with its size and theme only. */
export function useDensityCanvas(run: ReplayRun): RefObject<HTMLCanvasElement | null> {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const { current } = canvas;
    const strip = current?.parentElement;
    if (!current || !strip) return;
    const draw = () => drawDensity(current, strip, run);
    const observer = new ResizeObserver(draw);
    observer.observe(strip);
    const unwatch = watchTheme(draw);
    return () => {
      observer.disconnect();
      unwatch();
    };
  }, [run]);
  return canvas;
}

function drawDensity(canvas: HTMLCanvasElement, strip: HTMLElement, run: ReplayRun): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const { clientWidth: width, clientHeight: height } = strip;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const buckets = Math.max(Math.floor(width / BAR_PIXELS), 1);
  const density = buildDensity(run.columns, run.axis, buckets);
  paintDensity(context, density, width, height, readDensityPalette(strip));
}
