import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The server sends `script-src 'self'; style-src 'self'`: nothing may be inlined into the page.
export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "server/static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2023",
    sourcemap: false,
    reportCompressedSize: true,
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    setupFiles: ["src/test_setup.ts"],
  },
});
