/** Saved models: which there are, and one-off runs of them. Sessions on them are those of POST /v1/sessions. */
import { type Answer, type Endpoint, type EndpointRequest, endpoint } from '../http/index.js';
import { modelForecastSchema, modelListSchema, modelPredictSchema, modelRowsSchema } from '../messages/index.js';
import type { ModelRunRequest, ModelRuns } from '../sessions/index.js';
import { jsonInTurn, sentOf } from './answer-turns.js';
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
        return models.predict(request.params['name'] ?? '', request.body.rows, runOf(request));
      },
    }),
    endpoint({
      ...run,
      path: '/v1/models/:name/forecast',
      summary: 'The steps that a saved model expects after rows.',
      body: modelForecastSchema,
      handle: async (request) => {
        const { rows, steps } = request.body;
        return models.forecast(request.params['name'] ?? '', rows, steps, runOf(request));
      },
    }),
  ];
}

function runOf({ caller, budgetMs, signal, outgoing }: EndpointRequest): ModelRunRequest<Answer> {
  return {
    ...{ client: caller.id, budgetMs, signal, sent: sentOf(outgoing) },
    answer: (outputs) => jsonInTurn(outputs.data.length, signal, () => ({ outputs: rowsOf(outputs) })),
  };
}
