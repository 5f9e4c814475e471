// What Vite makes of files that the compiler does not know.
declare module '*?raw' {
  const text: string
  export default text
}
declare module '*.vue' {
  import type { DefineComponent } from 'vue'
  const component: DefineComponent<Record<string, unknown>>
  export default component
}
declare module '*.css'
