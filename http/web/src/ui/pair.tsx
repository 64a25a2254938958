// SPDX-License-Identifier: MIT
// Letting this device in: by the code of a link, by one that is typed, or by the token.
import { signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { post } from '../api';
import { t } from '../i18n/index';
import { reconnect } from '../link';
import { go, pairCode } from '../router';
import { say } from '../snack';

const wrong = signal(''); // why the last try failed; it outlives the form, which a link's has only for a moment
const CODE = 12; // letters a code has at most, with blanks and dashes: what is longer is a token

function deviceName(): string {
  const agent = navigator.userAgent;
  const system = ['iPhone', 'iPad', 'Android', 'Windows', 'Mac', 'Linux'].find(s => agent.includes(s));
  return t.value.deviceName(system ?? '').trim();
}

// A link's code is long, what is typed is short; a token signs in as it is.
async function enter(text: string, name: string, linked: boolean): Promise<void> {
  const word = text.trim();
  if (linked) await post('api/v1/pair', {}, { secret: word, name });
  else if (word.length <= CODE) await post('api/v1/pair', {}, { code: word.replace(/[\s-]/g, '').toUpperCase(), name });
  else await post('api/v1/login', {}, { token: word });
}

export function Pair() {
  const text = useSignal(''), name = useSignal(deviceName()), busy = useSignal(false);
  const linked = pairCode.value !== '';
  const run = async (word: string) => {
    busy.value = true;
    wrong.value = '';
    try {
      await enter(word, name.value, linked);
      say(t.value.pairDone);
      reconnect();
    } catch (error) {
      wrong.value = error instanceof Error ? error.message : String(error);
    }
    busy.value = false;
    // A code is good for once: it is no place to come back to.
    if (linked) go('', true);
  };
  useEffect(() => { if (linked) void run(pairCode.value); }, []);
  const submit = (e: Event) => {
    e.preventDefault();
    void run(text.value);
  };
  return (
    <main class="pair">
      <form class="pair-form" onSubmit={submit}>
        <h1>{t.value.pairTitle}</h1>
        <p>{t.value.pairHint}</p>
        <label class="field"><span>{t.value.pairName}</span><input type="text" autocomplete="username" value={name.value} maxLength={60} onInput={e => { name.value = e.currentTarget.value; }} /></label>
        <label class="field"><span>{t.value.pairCode}</span>
          <input type="password" autocomplete="current-password" required value={text.value} aria-invalid={wrong.value !== ''} aria-describedby="pair-wrong"
            onInput={e => { text.value = e.currentTarget.value; }} />
        </label>
        <p id="pair-wrong" class="wrong" role="alert">{wrong.value}</p>
        <button type="submit" class="button primary wide" disabled={busy.value}>{busy.value ? t.value.pairing : t.value.pair}</button>
      </form>
    </main>
  );
}
