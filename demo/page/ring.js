// Where the states go and how the arrows run. Geometry only: names and pairs in, numbers and paths out.
//
// The states stand on a ring, in the order of the table. No layout is simpler, and it has a property that layered ones lack
// with this many arrows: between points of a ring no straight line passes another point, so no arrow hides behind a state.

export const WIDTH = 412
export const HEIGHT = 430
export const NODE = { width: 96, height: 32 }

const CENTER = { x: WIDTH / 2, y: 218 }
const RADIUS = { x: 150, y: 180 }

/** Of an arrow's head. */
const HEAD = { length: 9, width: 8 }

/** How far an arrow keeps to its right, so that there and back are two lines. */
const LANE = 7

/** How far arrows bend towards the middle: neighbours would else touch each other's corners. */
const BEND = 0.18

/** @typedef {{ x: number, y: number }} Point */

/** @param {readonly string[]} names clockwise, the first at the top */
export function placeOnRing(names) {
  /** @type {Map<string, Point>} */
  const places = new Map()
  names.forEach((name, index) => {
    const angle = (index / names.length) * 2 * Math.PI - Math.PI / 2
    places.set(name, { x: CENTER.x + RADIUS.x * Math.cos(angle), y: CENTER.y + RADIUS.y * Math.sin(angle) })
  })
  return places
}

/**
 * An arrow between two places: a curve from border to border, and the head at its end. Two paths.
 * @param {Point} from
 * @param {Point} to
 */
export function drawArrow(from, to) {
  const length = Math.hypot(to.x - from.x, to.y - from.y)
  const right = { x: (-(to.y - from.y) / length) * LANE, y: ((to.x - from.x) / length) * LANE }
  const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 }
  const control = {
    x: middle.x + (CENTER.x - middle.x) * BEND + right.x * 2,
    y: middle.y + (CENTER.y - middle.y) * BEND + right.y * 2,
  }
  const start = leave(from, right, control, 0)
  const end = leave(to, right, control, HEAD.length)
  return { line: `M${show(start)}Q${show(control)} ${show(end)}`, head: headPath(control, end) }
}

/**
 * A triangle that goes on where a line from `before` ends.
 * @param {Point} before
 * @param {Point} end
 */
function headPath(before, end) {
  const length = Math.hypot(end.x - before.x, end.y - before.y)
  const [dx, dy] = [(end.x - before.x) / length, (end.y - before.y) / length]
  const corner = (/** @type {number} */ side) => ({ x: end.x - (dy * side) / 2, y: end.y + (dx * side) / 2 })
  const tip = { x: end.x + dx * HEAD.length, y: end.y + dy * HEAD.length }
  return `M${show(corner(HEAD.width))}L${show(tip)}L${show(corner(-HEAD.width))}z`
}

const show = (/** @type {Point} */ { x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`

/**
 * Where a line from a state towards `target` crosses the state's border, `gap` further out. The line begins beside the
 * state's middle, in its lane.
 * @param {Point} middle
 * @param {Point} lane
 * @param {Point} target
 * @param {number} gap
 */
function leave(middle, lane, target, gap) {
  const dx = target.x - middle.x - lane.x
  const dy = target.y - middle.y - lane.y
  const sideways = (NODE.width / 2 + gap - Math.sign(dx) * lane.x) / Math.abs(dx)
  const upright = (NODE.height / 2 + gap - Math.sign(dy) * lane.y) / Math.abs(dy)
  const scale = Math.min(sideways, upright)
  return { x: middle.x + lane.x + dx * scale, y: middle.y + lane.y + dy * scale }
}
