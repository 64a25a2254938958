// SPDX-License-Identifier: MIT
// What comes from outside: things dropped on the page, and links and files that other applications hand to it.
import { addFiles, addText } from './adding';
import { may } from './link';

function onDrop(e: DragEvent): void {
  e.preventDefault();
  const files = e.dataTransfer?.files, text = e.dataTransfer?.getData('text') ?? '';
  if (!may('add')) return;
  if (files && files.length > 0) void addFiles(files);
  else if (text) addText(text);
}

// What the share sheet of a phone gave to the service worker.
async function takeShared(): Promise<void> {
  const cache = await caches.open('shared');
  for (const request of await cache.keys()) {
    const reply = await cache.match(request);
    await cache.delete(request);
    if (!reply) continue;
    const name = reply.headers.get('X-Name');
    if (name) await addFiles([new File([await reply.blob()], decodeURIComponent(name))]);
    else addText(await reply.text());
  }
}

interface Launch { files?: { getFile(): Promise<File> }[] }

// Files that the system opens with the installed page.
function takeLaunched(): void {
  const queue = (window as unknown as { launchQueue?: { setConsumer(fn: (launch: Launch) => void): void } }).launchQueue;
  queue?.setConsumer(launch => {
    if (launch.files?.length) void Promise.all(launch.files.map(f => f.getFile())).then(addFiles);
  });
}

// The links that lead here carry what to add; the address is then that of the page again.
export function takeArrivals(): void {
  document.addEventListener('dragover', e => e.preventDefault());
  document.addEventListener('drop', onDrop);
  takeLaunched();
  const params = new URLSearchParams(location.search);
  if (location.search) history.replaceState(history.state, '', location.pathname + location.hash);
  const add = params.getAll('add').filter(Boolean);
  if (params.has('add')) addText(add.join('\n'));
  if (params.has('shared')) void takeShared();
}
