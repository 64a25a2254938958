// SPDX-License-Identifier: MIT
// Numbers and times as people read them: bytes, rates, shares, durations.
import { lang, t, toLeft } from './i18n/index';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
const formats = new Map<string, Intl.NumberFormat>();

// Always with so many digits behind the point, so that a column does not jump.
export function number(value: number, digits = 0): string {
  const key = lang.value + digits;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(lang.value, { minimumFractionDigits: digits, maximumFractionDigits: digits });
    formats.set(key, format);
  }
  return format.format(value);
}

// A number with its unit reads the same way in every language.
const whole = (text: string): string => (toLeft.value ? `\u2066${text}\u2069` : text);

// The unit changes at 1000, so that no number has more than three digits before the point.
export function bytes(value: number): string {
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return whole(`${number(value, unit > 0 && value < 99.95 ? 1 : 0)} ${UNITS[unit]}`);
}

export const rate = (value: number): string => whole(`${bytes(value)}/s`);

// Rounded down: 100 % is said of what is complete alone.
export function percent(progress: number, size = 0): string {
  if (progress >= 1) return whole('100 %');
  const value = Math.max(0, progress) * 100;
  const digits = (value < 1 && value > 0) || size > 10 * 1024 ** 3 ? 1 : 0;
  const scale = 10 ** digits;
  return whole(`${number(Math.floor(value * scale) / scale, digits)} %`);
}

export const ratio = (value: number): string => number(Math.floor(value * 100) / 100, 2);

// Two units at most, the finer the shorter it is; negative: not known.
export function duration(seconds: number): string {
  const w = t.value;
  if (seconds < 0) return '–';
  if (seconds < 60) return `${Math.ceil(seconds)} ${w.unitSecond}`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} ${w.unitMinute}`;
  const hours = Math.floor(seconds / 3600);
  if (hours < 48) return pair(hours, w.unitHour, Math.floor(seconds / 60) % 60, w.unitMinute);
  if (hours < 14 * 24) return pair(Math.floor(hours / 24), w.unitDay, hours % 24, w.unitHour);
  return w.weeks;
}

const pair = (a: number, ua: string, b: number, ub: string): string => (b > 0 ? `${a} ${ua} ${b} ${ub}` : `${a} ${ua}`);

export function ago(seconds: number): string {
  const w = t.value;
  return seconds < 60 ? w.justNow : w.ago(duration(seconds));
}

export function date(unix: number): string {
  return new Date(unix * 1000).toLocaleString(lang.value, { dateStyle: 'medium', timeStyle: 'short' });
}

// Names differ at their ends, so the tail is never cut: the head may be.
export function splitName(name: string): [string, string] {
  const at = name.length > 24 ? name.length - 12 : name.length;
  return [name.slice(0, at), name.slice(at)];
}
