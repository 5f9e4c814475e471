// Medians and quartiles. A mean would follow whatever else the machine was doing.

/**
 * @param {readonly number[]} values
 * @param {number} share 0 to 1
 */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}

/**
 * @typedef {{ median: number, low: number, high: number, count: number }} Summary
 * @param {readonly number[]} values
 * @returns {Summary} `low` and `high` are the quartiles
 */
export function summarize(values) {
  return {
    median: quantile(values, 0.5),
    low: quantile(values, 0.25),
    high: quantile(values, 0.75),
    count: values.length,
  }
}
