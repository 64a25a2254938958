// SPDX-License-Identifier: MIT
// The page's files as a C table: path, type, tag, and the bytes plain, by gzip and by brotli.
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

export function packed(bytes) {
  return {
    gz: gzipSync(bytes, { level: 9 }),
    br: brotliCompressSync(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    }),
  };
}

// A C string: octal has three digits at most, so what follows is never taken into it.
function literal(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 2048) {
    let line = '';
    for (const byte of bytes.subarray(at, at + 2048)) {
      if (byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c && byte !== 0x3f) line += String.fromCharCode(byte);
      else line += '\\' + byte.toString(8).padStart(3, '0');
    }
    lines.push(`"${line}"`);
  }
  return lines.join('\n');
}

function writeFile(site, name, i) {
  const plain = readFileSync(join(site, name));
  const tag = createHash('sha256').update(plain).digest('hex').slice(0, 16);
  const { gz, br } = packed(plain);
  const forms = { plain };
  if (gz.length < plain.length * 0.9) forms.gzip = gz;
  if (br.length < plain.length * 0.9) forms.br = br;
  const arrays = Object.entries(forms).map(([form, bytes]) =>
    `static const uint8_t ${form}_${i}[] =\n${literal(bytes)};\n`);
  const slices = Object.keys(forms).map(form => `.${form} = {${form}_${i}, sizeof ${form}_${i} - 1}`);
  const row = `{"${name}", {.type = "${TYPES[extname(name)]}", .tag = "W/\\"${tag}\\"", .policy = WEB_POLICY, ` +
    `.immutable = ${name.startsWith('assets/')}, ${slices.join(', ')}}},`;
  return { arrays: arrays.join(''), row };
}

export function writeTable(site, names, to) {
  const files = names.map((name, i) => writeFile(site, name, i));
  const text = files.map(f => f.arrays).join('') +
    `static const struct web_file files[] = {\n${files.map(f => f.row).join('\n')}\n};\n`;
  writeFileSync(to + '.new', text);
  renameSync(to + '.new', to);
}
