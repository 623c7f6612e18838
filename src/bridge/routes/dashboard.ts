/** The dashboard: `/` and what it loads. The files hold no data and need no token. */
import { dashboardAssets, isUnchanged } from '../dashboard/index.js';
import { type Endpoint, endpoint } from '../http/index.js';

export function dashboardEndpoints(): Endpoint[] {
  return [...dashboardAssets()].map(([path, asset]) =>
    endpoint({
      method: 'GET',
      path,
      scope: 'open',
      summary: path === '/' ? 'The dashboard, for a browser.' : 'A file of the dashboard.',
      idempotent: true,
      retry: 'at any time',
      failure: 'open',
      answers: { 200: asset.type.split(';', 1)[0]! },
      handle: ({ incoming }) => {
        const { type, headers, body } = asset;
        if (isUnchanged(asset, incoming.headers['if-none-match'])) return { empty: 304, headers };
        return { bytes: body, headers: { 'content-type': type, ...headers } };
      },
    }),
  );
}
