// Builds the pages for Vue and React into `build/apps`: `npm run build:demo`, after `npm run build`.
import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

// What developers run: Vue and React warn of mistakes, and StrictMode does mount twice. In production they are silent.
process.env['NODE_ENV'] = 'development'

const path = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url))

export default defineConfig({
  root: path('.'),
  logLevel: 'warn',
  plugins: [vue(), react()],
  build: {
    outDir: path('../../build/apps'),
    emptyOutDir: true,
    target: 'es2022',
    minify: false,
    sourcemap: true,
    // Inlined, an image would be a `data:` url, which the pages' Content-Security-Policy refuses.
    assetsInlineLimit: 0,
    // Every browser that we run in has it.
    modulePreload: { polyfill: false },
    // React with its warnings is larger than what Vite takes for a mistake.
    chunkSizeWarningLimit: 2_000,
    rollupOptions: { input: [path('vue.html'), path('react.html')] },
  },
})
