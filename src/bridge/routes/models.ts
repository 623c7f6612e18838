/** Saved models: which there are, and one-off runs of them. Sessions on them are those of POST /v1/sessions. */
import { type Endpoint, type EndpointRequest, endpoint } from '../http/index.js';
import { modelForecastSchema, modelListSchema, modelPredictSchema, modelRowsSchema } from '../messages/index.js';
import type { ModelRuns } from '../sessions/index.js';
import { rowsOf } from './session-frames.js';

const run = {
  method: 'POST',
  scope: 'use',
  idempotent: true,
  retry: 'at any time: nothing of a request is kept',
  failure: 'open',
  answers: { 200: modelRowsSchema },
} as const;

export function modelEndpoints(models: ModelRuns): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/v1/models',
      scope: 'read',
      summary: 'The saved models of the configuration: sessions and runs may name them.',
      idempotent: true,
      retry: 'at any time',
      failure: 'open',
      answers: { 200: modelListSchema },
      handle: () => ({ json: { items: models.list() } }),
    }),
    endpoint({
      ...run,
      path: '/v1/models/:name/predict',
      summary: 'Outputs of a saved model for rows, from rest.',
      body: modelPredictSchema,
      handle: async (request) => {
        const outputs = await models.predict(request.params['name'] ?? '', request.body.rows, placeOf(request));
        return { json: { outputs: rowsOf(outputs) } };
      },
    }),
    endpoint({
      ...run,
      path: '/v1/models/:name/forecast',
      summary: 'The steps that a saved model expects after rows.',
      body: modelForecastSchema,
      handle: async (request) => {
        const { rows, steps } = request.body;
        const outputs = await models.forecast(request.params['name'] ?? '', rows, steps, placeOf(request));
        return { json: { outputs: rowsOf(outputs) } };
      },
    }),
  ];
}

function placeOf({ caller, budgetMs, signal }: EndpointRequest) {
  return { client: caller.id, budgetMs, signal };
}
