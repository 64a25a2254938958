// SPDX-License-Identifier: MIT
// The value of an option as the configuration writes it, so that nothing is lost when it is read back.

type Units = [number, string][];
const SIZES: Units = [[2 ** 40, 'TiB'], [2 ** 30, 'GiB'], [2 ** 20, 'MiB'], [2 ** 10, 'KiB'], [1, 'B']];
const TIMES: Units = [[86_400, 'd'], [3600, 'h'], [60, 'm'], [1, 's'], [0.001, 'ms']];

// In the largest unit of which it is a whole number.
function whole(value: number, units: Units, smallest: string): string {
  if (value === 0) return '0';
  const unit = units.find(([factor]) => value >= factor && Number.isInteger(Math.round((value / factor) * 1e6) / 1e6));
  return unit ? `${Math.round(value / unit[0])}${unit[1]}` : `${value}${smallest}`;
}

export function exact(type: string, value: unknown): string {
  if (Array.isArray(value)) return value.join(', ');
  if (typeof value !== 'number') return value === null || value === undefined ? '' : String(value);
  if (type === 'size') return whole(value, SIZES, 'B');
  if (type === 'rate') return value === 0 ? '0' : `${whole(value, SIZES, 'B')}/s`;
  return type === 'duration' ? whole(value, TIMES, 's') : String(value);
}
