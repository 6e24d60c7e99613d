// In the page: notes tasks that block it, and the longest time between two frames.
() => {
  const tasks = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) tasks.push(entry.duration);
  }).observe({ type: "longtask" });
  let before = performance.now();
  let longest = 0;
  let frames = 0;
  requestAnimationFrame(function frame(now) {
    longest = Math.max(longest, now - before);
    before = now;
    frames += 1;
    requestAnimationFrame(frame);
  });
  window.swarmStrain = () => ({ tasks, frames, longest_frame_ms: longest });
};
