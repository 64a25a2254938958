// SPDX-License-Identifier: MIT
// Asking the daemon: addresses relative to the page, and every way it can go wrong told apart.

export type Cause = 'offline' | 'noanswer' | 'proxy' | 'proxylogin' | 'host' | 'failed' | 'login';

export class ApiError extends Error {
  constructor(readonly cause: Cause, readonly status: number, message: string, readonly code = '', readonly args: Record<string, unknown> = {}) {
    super(message);
  }
}

type Params = Record<string, string | number | boolean | undefined>;

const WAIT = 20_000; // ms until a request is given up

export function address(path: string, params: Params = {}): string {
  const query = Object.entries(params).filter(([, v]) => v !== undefined).map(([k, v]) => [k, String(v)]);
  return query.length > 0 ? `${path}?${new URLSearchParams(query)}` : path;
}

// What the proxy or the daemon says by a status, and whether it is the daemon that speaks.
function causeOf(reply: Response, ours: boolean): Cause {
  if (reply.type === 'opaqueredirect') return 'proxylogin';
  if (reply.status === 401 || reply.status === 403) return ours ? (reply.status === 401 ? 'login' : 'failed') : 'proxylogin';
  if (reply.status === 421) return 'host';
  return reply.status >= 502 && reply.status <= 504 && !ours ? 'proxy' : 'failed';
}

async function explain(reply: Response): Promise<ApiError> {
  const type = reply.headers.get('Content-Type') ?? '';
  const ours = type.startsWith('application/problem+json') || (type.startsWith('text/plain') && reply.headers.has('X-Content-Type-Options'));
  let text = '', code = '', args = {};
  if (reply.type !== 'opaqueredirect') {
    text = (await reply.text().catch(() => '')).slice(0, 4000);
    if (type.startsWith('application/problem+json')) {
      try {
        const problem = JSON.parse(text) as { detail?: string; code?: string; args?: Record<string, unknown> };
        text = problem.detail ?? '';
        code = problem.code ?? '';
        args = problem.args ?? {};
      } catch {
        text = '';
      }
    }
  }
  const words = ours ? text.trim().slice(0, 300) : '';
  return new ApiError(causeOf(reply, ours), reply.status, words || `HTTP ${reply.status}`, code, args);
}

async function ask(path: string, init: RequestInit): Promise<Response> {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), WAIT);
  let reply: Response;
  try {
    reply = await fetch(path, { ...init, cache: 'no-store', credentials: 'same-origin', redirect: 'manual', signal: giveUp.signal });
  } catch (error) {
    throw new ApiError(navigator.onLine ? 'noanswer' : 'offline', 0, String(error));
  } finally {
    clearTimeout(timer);
  }
  if (!reply.ok) throw await explain(reply);
  return reply;
}

export async function get<T>(path: string, params: Params = {}): Promise<T> {
  const reply = await ask(address(path, params), { headers: { Accept: 'application/json' } });
  const type = reply.headers.get('Content-Type') ?? '';
  if (!type.includes('json')) throw new ApiError('proxylogin', reply.status, type);
  return (await reply.json()) as T;
}

type Method = 'POST' | 'PATCH' | 'DELETE';

interface More { params?: Params; body?: BodyInit | object | undefined; headers?: Record<string, string> }

export async function request(method: Method, path: string, { params = {}, body, headers: more = {} }: More = {}): Promise<string> {
  const json = body !== undefined && Object.getPrototypeOf(body) === Object.prototype;
  const headers: Record<string, string> = { 'X-Requested-With': 'torrentd', ...more };
  if (json) headers['Content-Type'] = 'application/json';
  const reply = await ask(address(path, params), {
    method,
    headers,
    body: json ? JSON.stringify(body) : (body as BodyInit | undefined) ?? null,
  });
  return reply.text();
}

export const change = (method: Method, path: string, params: Params = {}, body?: BodyInit | object): Promise<string> => request(method, path, { params, body });
export const post = (path: string, params: Params = {}, body?: BodyInit | object): Promise<string> => change('POST', path, params, body);
