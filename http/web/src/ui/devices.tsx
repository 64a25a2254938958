// SPDX-License-Identifier: MIT
// Who may use the daemon: devices and programs, each of which can be put out, and a code that lets one more in.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { copyText } from '../actions';
import { change, get, post } from '../api';
import { ago } from '../format';
import { t } from '../i18n/index';
import { say } from '../snack';
import { serverNow } from '../store';
import { Icon } from './icon';
import { SheetFrame } from './sheet';

interface Token { id: number; name: string; kind: string; scopes: string[]; used: number | null; current: boolean }
interface Pairing { code: string; secret: string }

// The link as this browser sees the daemon: behind a proxy only the browser knows.
const linkOf = (secret: string): string => `${location.origin}${location.pathname}#/pair/${secret}`;

function facts(token: Token): string {
  const w = t.value, used = token.used ? w.lastUsed(ago(serverNow() - token.used)) : w.neverUsed;
  return [token.kind === 'device' ? w.device : w.program, token.scopes.join(', '), token.current ? w.thisOne : used].join(' · ');
}

const Code = ({ pairing }: { pairing: Pairing }) => (
  <div class="pairing" role="status">
    <p>{t.value.pairCodeHint}</p>
    <p class="pairing-code">{pairing.code.slice(0, 4)} {pairing.code.slice(4)}</p>
    <button type="button" class="button wide" onClick={() => void copyText(linkOf(pairing.secret))}><Icon name="copy" />{t.value.copyLink}</button>
  </div>
);

export function DevicesSheet() {
  const tokens = useSignal<Token[]>([]), pairing = useSignal<Pairing | null>(null);
  const fail = (error: Error) => say(error.message, { bad: true });
  const look = () => get<{ tokens: Token[] }>('api/v1/tokens').then(v => { tokens.value = v.tokens; }, fail);
  useEffect(() => void look(), []);
  const pair = () => void post('api/v1/pairings', {}, {}).then(text => { pairing.value = JSON.parse(text) as Pairing; }, fail);
  const revoke = (token: Token) => void change('DELETE', `api/v1/tokens/${token.id}`).then(() => {
    say(t.value.revoked(token.name));
    return look();
  }, fail);
  return (
    <SheetFrame title={t.value.devices} tall>
      {pairing.value ? <Code pairing={pairing.value} /> : <button type="button" class="button primary wide" onClick={pair}><Icon name="key" />{t.value.pairNew}</button>}
      <ul class="tokens" aria-label={t.value.devices}>{tokens.value.map(token => (
        <li key={token.id} class="token">
          <span class="card-text"><bdi class="card-name">{token.name}</bdi><span class="card-kind">{facts(token)}</span></span>
          <button type="button" class="button small danger-text" aria-label={t.value.revokeName(token.name)} onClick={() => revoke(token)}>{t.value.revoke}</button>
        </li>
      ))}</ul>
    </SheetFrame>
  );
}
