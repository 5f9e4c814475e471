// What both pages have beside the component, and what outlives it: the server's count, the buttons that break things, and
// the component's own text.
import { byId, setText } from '../../page/dom.js'
import { connectFaults } from '../../page/faults.js'
import { client } from './chat.ts'

/** ms between two looks at what the server counts. */
const LOOK = 500

interface Count {
  readonly open: number
  readonly opened: number
  readonly lastCode: number | null
}

/** @param code of the component, to be read on the page. */
export function showPanel(code: string): void {
  setText(byId('client'), client)
  setText(byId('code'), code.trim())
  connectFaults(client)()

  const look = async (): Promise<void> => {
    const { open, opened, lastCode } = (await (await fetch(`/connections?client=${client}`)).json()) as Count
    setText(byId('count-open'), String(open))
    setText(byId('count-opened'), String(opened))
    setText(byId('count-code'), String(lastCode ?? '–'))
  }
  // The demo server is on this machine: when it cannot be asked it has been stopped, and the next look may find it again.
  setInterval(() => void look().catch(() => {}), LOOK)
  void look().catch(() => {})
}
