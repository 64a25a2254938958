// SPDX-License-Identifier: MIT
// Cases of one program, run in order and reported as TAP.  A case passes when it returns.
const cases = [];

export const PATIENCE = Number(process.env.PATIENCE ?? 20) * 1000;

export const test = (name, run) => cases.push({ name, run });

export function check(condition, ...what) {
  if (!condition) throw new Error(what.map(w => (typeof w === 'string' ? w : JSON.stringify(w))).join(' ') || 'check failed');
}

export function equal(got, wanted, what = '') {
  const a = JSON.stringify(got), b = JSON.stringify(wanted);
  if (a !== b) throw new Error(`${what}: got ${a?.slice(0, 600)}, wanted ${b?.slice(0, 600)}`);
}

// Waits for a condition, never for seconds.
export async function until(condition, what) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    if (await condition()) return;
    if (Date.now() > end) throw new Error(`in ${PATIENCE / 1000} s never: ${typeof what === 'function' ? what() : what}`);
    await new Promise(done => setTimeout(done, 50));
  }
}

const matches = (name, pattern) => new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name.replaceAll(' ', '_'));

// All cases, or those whose names match a pattern on the command line; `after` always runs.
export async function run(after = async () => {}) {
  const patterns = process.argv.slice(2), wanted = cases.filter(c => patterns.length === 0 || patterns.some(p => matches(c.name, p)));
  let failed = 0;
  console.log(`1..${wanted.length}`);
  for (const [i, c] of wanted.entries()) {
    const began = Date.now();
    try {
      await c.run();
      console.log(`ok ${i + 1} - ${c.name}\n# ${((Date.now() - began) / 1000).toFixed(1)} s`);
    } catch (error) {
      failed++;
      for (const line of String(error.stack).split('\n')) console.log(`# ${line}`);
      console.log(`not ok ${i + 1} - ${c.name}`);
    }
  }
  await after();
  process.exit(failed > 0 ? 1 : 0); // what a case that failed has left open must not keep it
}
