// The latency of each heartbeat over the last minute. The scale is logarithmic: a good link takes one millisecond, a slow one
// a thousand, and both should be readable.
import { byId, svg } from './dom.js'

const SPAN = 60_000
/** As in style.css. */
const HEIGHT = 170
const MARGIN = { top: 12, right: 12, bottom: 22, left: 50 }
const LOWEST = 0.5
const HIGHEST = 4_000
const GRID = [1, 10, 100, 1_000]

/** Often enough for a chart that moves 10 pixels per second on a wide screen. */
const REDRAW = 250

/**
 * @typedef {{ at: number, latency: number | null }} Beat `null`: it was never answered.
 * @typedef {{ from: number, to: number | null }} Outage `to` is `null` while it lasts.
 */

/** @param {import('./connection.js').Connection} socket */
export function showChart(socket) {
  const place = byId('chart')
  /** @type {Beat[]} */
  let beats = []
  /** @type {Outage[]} */
  let outages = [{ from: Date.now(), to: null }]

  const draw = () => {
    const now = Date.now()
    beats = beats.filter(({ at }) => at > now - SPAN)
    outages = outages.filter(({ to }) => (to ?? now) > now - SPAN)
    const width = Math.max(place.clientWidth, 240)
    const x = (/** @type {number} */ time) =>
      Math.max(MARGIN.left, MARGIN.left + (1 - (now - time) / SPAN) * (width - MARGIN.left - MARGIN.right))
    const y = (/** @type {number} */ latency) => {
      const share = Math.log(Math.min(Math.max(latency, LOWEST), HIGHEST) / LOWEST) / Math.log(HIGHEST / LOWEST)
      return HEIGHT - MARGIN.bottom - share * (HEIGHT - MARGIN.top - MARGIN.bottom)
    }

    const grid = GRID.map((latency) =>
      svg(
        'g',
        { class: 'grid' },
        svg('line', { x1: MARGIN.left, x2: width - MARGIN.right, y1: y(latency), y2: y(latency) }),
        svg(
          'text',
          { x: MARGIN.left - 6, y: y(latency) + 4, 'text-anchor': 'end' },
          latency < 1_000 ? `${latency} ms` : `${latency / 1_000} s`,
        ),
      ),
    )
    const times = [60, 30, 0].map((ago) =>
      svg(
        'text',
        {
          class: 'time',
          x: x(now - ago * 1_000),
          y: HEIGHT - 6,
          'text-anchor': ago === 0 ? 'end' : ago === 60 ? 'start' : 'middle',
        },
        ago === 0 ? 'now' : `${ago} s ago`,
      ),
    )
    const gaps = outages.map(({ from, to }) =>
      svg('rect', {
        class: 'outage',
        x: x(from),
        y: MARGIN.top,
        width: Math.max(1, x(to ?? now) - x(from)),
        height: HEIGHT - MARGIN.top - MARGIN.bottom,
      }),
    )

    const dots = beats.map(({ at, latency }) =>
      latency === null
        ? svg('text', { class: 'lost-beat', x: x(at), y: MARGIN.top + 12, 'text-anchor': 'middle' }, '✕')
        : svg('circle', { cx: x(at).toFixed(1), cy: y(latency).toFixed(1), r: 3 }),
    )

    place.replaceChildren(
      svg(
        'svg',
        { viewBox: `0 0 ${width} ${HEIGHT}`, role: 'img', 'aria-label': summary() },
        svg('defs', {}, stripes()),
        ...gaps,
        ...grid,
        ...times,
        svg('path', { class: 'line', d: line(x, y) }),
        ...dots,
      ),
    )
  }

  /**
   * One line per connection: across an outage or a lost beat there is a gap.
   * @param {(time: number) => number} x
   * @param {(latency: number) => number} y
   */
  const line = (x, y) => {
    let path = ''
    let isBroken = true
    let before = 0
    for (const { at, latency } of beats) {
      const since = before
      isBroken ||= outages.some(({ from }) => from > since && from <= at)
      if (latency !== null) path += `${isBroken ? 'M' : 'L'}${x(at).toFixed(1)},${y(latency).toFixed(1)}`
      isBroken = latency === null
      before = at
    }
    return path
  }

  const summary = () => {
    const answered = beats.flatMap(({ latency }) => (latency === null ? [] : [latency]))
    const lost = beats.length - answered.length
    const last = answered.at(-1)
    return `Heartbeats of the last minute: ${answered.length} answered, ${lost} lost${last === undefined ? '' : `, the last after ${last.toFixed(1)} ms`}`
  }

  socket.on('heartbeat', ({ latency }) => {
    beats.push({ at: Date.now(), latency })
    draw()
  })
  socket.on('lost', ({ close, wasOpen }) => {
    if (wasOpen && close.reason === 'heartbeat timeout') beats.push({ at: Date.now(), latency: null })
  })
  socket.on('state', ({ state, previous }) => {
    const outage = outages.at(-1)
    if (state === 'open' && outage) outage.to = Date.now()
    else if (previous === 'open') outages.push({ from: Date.now(), to: null })
    draw()
  })
  setInterval(draw, REDRAW)
  new ResizeObserver(draw).observe(place)
}

/** Colour is not the only sign: an outage is striped. */
const stripes = () =>
  svg(
    'pattern',
    { id: 'stripes', width: 6, height: 6, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' },
    svg('rect', { width: 6, height: 6, class: 'stripe-back' }),
    svg('rect', { width: 2, height: 6, class: 'stripe' }),
  )
