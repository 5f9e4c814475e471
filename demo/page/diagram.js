// The state diagram, drawn from the very table that the library runs on: nothing about a state or an arrow is known here.
import { edges, TABLE } from '#machine'
import { byId, html, svg } from './dom.js'
import { drawArrow, HEIGHT, NODE, placeOnRing, WIDTH } from './ring.js'

/** A state that lasts for milliseconds stays lit for this long, or nobody would ever see a connection being made. */
const AFTERGLOW = 1_500

/** Arrows with the same ends are one line with several triggers. @returns {Map<string, { from: string, to: string, triggers: string[] }>} */
function mergedEdges() {
  const merged = new Map()
  for (const { from, to, trigger } of edges()) {
    const key = `${from}>${to}`
    const arrow = merged.get(key) ?? { from, to, triggers: [] }
    arrow.triggers.push(trigger)
    merged.set(key, arrow)
  }
  return merged
}

/** @param {import('./connection.js').Connection} socket */
export function showDiagram(socket) {
  const places = placeOnRing(Object.keys(TABLE))
  const arrows = mergedEdges()
  const ways = byId('arrows')

  /** @type {Map<string, Element>} */
  const lines = new Map()
  /** @type {Map<string, Element>} */
  const boxes = new Map()
  /** @type {Map<string, Element>} */
  const badges = new Map()

  for (const [key, { from, to }] of arrows) {
    const [start, end] = [places.get(from), places.get(to)]
    if (!start || !end || from === to) continue
    // The head is a shape of its own: WebKit does not repaint a marker when its line changes colour.
    const { line, head } = drawArrow(start, end)
    lines.set(key, svg('g', { class: 'arrow' }, svg('path', { class: 'line', d: line }), svg('path', { d: head })))
  }
  for (const [state, { x, y }] of places) {
    const { width, height } = NODE
    boxes.set(
      state,
      svg(
        'g',
        { class: 'node', 'data-state': state },
        svg('rect', { x: x - width / 2, y: y - height / 2, width, height, rx: 8 }),
        svg('text', { x, y: y + 4.5 }, state),
      ),
    )
    // On the outer side of the ring, where no arrow comes, and a bit further out than its state, away from its neighbour.
    const side = y < HEIGHT / 2 ? -height / 2 - 6 : height / 2 + 14
    badges.set(state, svg('text', { class: 'badge', x: x + (x - WIDTH / 2) * 0.06, y: y + side }))
  }
  const arrowLayer = svg('g', {}, ...lines.values())
  const picture = svg(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img' },
    arrowLayer,
    svg('g', {}, ...boxes.values()),
    svg('g', {}, ...badges.values()),
  )
  byId('diagram').replaceChildren(picture)

  /** Lets something glow for a moment after it was passed. */
  const glow = (/** @type {Element | undefined} */ element) => {
    if (!element) return
    element.classList.add('recent')
    setTimeout(() => element.classList.remove('recent'), AFTERGLOW)
  }

  /**
   * @param {string} state
   * @param {string | null} previous
   */
  const show = (state, previous) => {
    // All arrows at once would be a thicket. These start or end at one state, so that none crosses another.
    const out = [...arrows.values()].filter(({ from }) => from === state)
    for (const [name, box] of boxes) box.classList.toggle('current', name === state)
    for (const [name, badge] of badges) {
      const way = out.find(({ to }) => to === name)
      badge.textContent = way ? `${name === state ? '↻ ' : ''}${way.triggers.join(', ')}` : ''
    }
    for (const [key, line] of lines) {
      line.classList.toggle(
        'out',
        out.some(({ from, to }) => key === `${from}>${to}`),
      )
      line.classList.toggle('last', key === `${previous}>${state}`)
    }
    // What is drawn later lies on top.
    for (const name of ['out', 'last']) arrowLayer.append(...arrowLayer.querySelectorAll(`.${name}`))
    glow(boxes.get(previous ?? ''))
    glow(lines.get(`${previous}>${state}`))
    picture.setAttribute('aria-label', previous ? `State ${state}, from ${previous}` : `State ${state}`)
    ways.replaceChildren(
      ...out.map(({ to, triggers }) =>
        html('li', {}, `${triggers.join(' or ')}: ${to === state ? `stays ${state}` : `becomes ${to}`}`),
      ),
    )
  }

  socket.on('state', ({ state, previous }) => show(state, previous))
  show(socket.state, null)
}
