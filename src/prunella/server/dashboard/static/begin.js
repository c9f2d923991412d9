"use strict";
// Fetches what pages do beside showing, once the page has been seen: until then it would only be in the way.
(() => {
  const { then } = document.currentScript.dataset;
  const PATIENCE_MS = 1000; // a page in the background isn't painted
  let begun = false;
  const begin = () => {
    if (begun) return;
    begun = true;
    document.head.append(Object.assign(document.createElement("script"), { src: then }));
  };
  new PerformanceObserver((paints) => {
    if (paints.getEntriesByName("first-contentful-paint").length) begin();
  }).observe({ type: "paint", buffered: true });
  setTimeout(begin, PATIENCE_MS);
})();
