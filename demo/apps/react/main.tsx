// Mounts the page, in StrictMode or not.
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { byId } from '../../page/dom.js'
import { showPanel } from '../shared/panel.ts'
import { App } from './App.tsx'
// oxlint-disable-next-line import/default -- Vite makes one: the file's text.
import code from './ChatRoom.tsx?raw'

const root = createRoot(byId('app'))

/** StrictMode at the root: below it React would spare what it mounts first. */
function draw(isStrict: boolean): void {
  const app = <App isStrict={isStrict} setStrict={restart} />
  root.render(isStrict ? <StrictMode>{app}</StrictMode> : app)
}

/** In two tasks: components that take the place of others within one take over their connection, too. */
function restart(isStrict: boolean): void {
  root.render(null)
  setTimeout(draw, 0, isStrict)
}

showPanel(code)
draw(true)
