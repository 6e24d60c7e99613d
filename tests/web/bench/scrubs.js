// In the page: notes how long each step of the slider takes until all of it is on the screen.
() => {
  const taken = [];
  const channel = new MessageChannel();
  let started = 0;
  channel.port1.onmessage = () => taken.push(performance.now() - started);
  window.addEventListener(
    "pointerdown",
    (event) => {
      if (!event.target.closest("[role=slider]")) return;
      // From when the browser had the press, not from when the page came to it.
      started = event.timeStamp;
      requestAnimationFrame(() => channel.port2.postMessage(0));
    },
    { capture: true },
  );
  window.swarmScrubs = () => taken;
};
