// SPDX-License-Identifier: MIT
// What is set for this device alone, and who one is to the daemon.
import { post } from '../api';
import { LANGUAGES, t, useLanguage } from '../i18n/index';
import { may, reconnect, session } from '../link';
import { prefs, type Prefs, setPrefs } from '../prefs';
import { closeSheet, openSheet } from '../sheets';
import { Radios } from './radios';
import { SheetFrame } from './sheet';

const Switch = ({ name, label }: { name: 'clipboard' | 'swipes' | 'keys' | 'compact'; label: string }) => (
  <label class="check"><input type="checkbox" checked={prefs.value[name]} onChange={e => setPrefs({ [name]: e.currentTarget.checked })} />{label}</label>
);

function chooseLanguage(language: string): void {
  setPrefs({ language });
  void useLanguage(language);
}

function signOut(): void {
  closeSheet(() => void post('api/v1/logout').then(reconnect, reconnect));
}

export function SettingsSheet() {
  const w = t.value, who = session.value;
  const languages: [string, string][] = [['', w.languageAuto], ...Object.entries(LANGUAGES)];
  return (
    <SheetFrame title={w.settings} tall>
      <p class="hint">{w.settingsHint}</p>
      <Radios name="theme" label={w.theme} titled row value={prefs.value.theme} choices={Object.entries(w.themes)} onChoose={v => setPrefs({ theme: v as Prefs['theme'] })} />
      <Radios name="language" label={w.language} titled row value={prefs.value.language} choices={languages} onChoose={chooseLanguage} />
      <Radios name="density" label={w.density} titled row value={prefs.value.compact ? 'compact' : 'usual'} choices={Object.entries(w.densities)} onChoose={v => setPrefs({ compact: v === 'compact' })} />
      <div class="stack">
        <Switch name="clipboard" label={w.clipboard} />
        <Switch name="swipes" label={w.swipes} />
        <Switch name="keys" label={w.keys} />
        <button type="button" class="button wide" onClick={() => openSheet({ kind: 'keys' })}>{w.shortcuts}</button>
        <button type="button" class="button wide" onClick={() => openSheet({ kind: 'removed' })}>{w.removedTitle}</button>
        {may('admin') && <button type="button" class="button wide" onClick={() => openSheet({ kind: 'devices' })}>{w.devices}</button>}
        {may('admin') && <button type="button" class="button wide" onClick={() => openSheet({ kind: 'options' })}>{w.daemonSettings}</button>}
        {who?.token?.kind === 'device' && <button type="button" class="button wide" onClick={signOut}>{w.signOut}</button>}
      </div>
      {who?.version && <p class="hint">{w.about(who.version)} · {w.yourScopes(who.scopes.join(', '))}</p>}
      {!isSecureContext && <p class="hint">{w.insecure}</p>}
    </SheetFrame>
  );
}

export const KeysSheet = () => (
  <SheetFrame title={t.value.shortcuts}>
    <dl class="keys">{t.value.keyList.map(([key, what]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>)}</dl>
  </SheetFrame>
);
