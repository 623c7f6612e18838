/**
 * The routes that callers of the Python implementation know, below /deep_tree_echo, with figures that were measured.
 *
 * What the bridge cannot honour per request is refused, not ignored: the depth and the size of the reservoir are those of the
 * configured network (`membrane_depth` and `esn_size` must equal them where given), and `output_format` is json. `processing_mode`
 * is accepted: there it named the answer alone, and the work of all modes is the same.
 */
import { z } from 'zod';
import { systemClock } from '../../abort/index.js';
import type { DtesnResultJson } from '../../processor/index.js';
import { type Endpoint, endpoint } from '../http/index.js';
import { BridgeError, doneSchema } from '../messages/index.js';
import type { BatchRunner } from '../processing/index.js';
import { admission } from './processing.js';

const inputFields = {
  membrane_depth: z.int().min(1).max(16).optional().describe('where given, the depth of the configured network'),
  esn_size: z.int().min(32).max(4096).optional().describe('where given, the units of the configured network'),
  processing_mode: z
    .enum(['server_side', 'streaming', 'batch'])
    .optional()
    .describe('accepted: the same work and the same answer; a stream is POST /v1/process/stream'),
  include_intermediate: z.boolean().default(false).describe('whether figures of each membrane are answered'),
  output_format: z.enum(['json']).optional().describe('only json'),
};
const processBody = z.strictObject({ input_data: z.string().min(1), ...inputFields });
const batchBody = z.strictObject({
  inputs: z.array(z.string().min(1)).min(1).max(100),
  ...inputFields,
  max_batch_size: z.int().min(1).max(50).optional().describe('accepted; the plan decides the size'),
  parallel_processing: z.boolean().optional().describe('accepted; the plan decides it'),
  parallel: z.boolean().optional().describe('accepted; the plan decides it'),
});

export interface ReferenceParts {
  runner: BatchRunner;
  /** The network of the moment. */
  config: () => { depth: number; units: number };
  status: () => object;
}

export function referenceEndpoints({ runner, config, status }: ReferenceParts): Endpoint[] {
  const common = { scope: 'use', idempotent: true, retry: 'at any time', failure: 'open' } as const;
  return [
    endpoint({
      ...common,
      method: 'POST',
      path: '/deep_tree_echo/process',
      summary: 'One text, in the shapes of the Python implementation.',
      body: processBody,
      answers: { 200: doneSchema },
      handle: async (request) => {
        checkShape(request.body, config());
        const result = await runner.process(request.body.input_data, admission(request));
        return { json: answerOf(request.body.input_data, result, request.body.include_intermediate) };
      },
    }),
    endpoint({
      ...common,
      method: 'POST',
      path: '/deep_tree_echo/batch_process',
      summary: 'Up to 100 texts, in the shapes of the Python implementation.',
      body: batchBody,
      answers: { 200: doneSchema },
      handle: async (request) => {
        const { inputs, include_intermediate } = request.body;
        checkShape(request.body, config());
        const start = systemClock.now();
        const entries = await runner.processBatch(inputs, admission(request));
        const results = entries.map((entry, input_index) =>
          entry.ok
            ? {
                input_index,
                status: 'success',
                result: resultOf(inputs[input_index]!, entry.result, include_intermediate),
              }
            : { input_index, status: 'failed', error: entry.error.message },
        );
        const failed = entries.filter(({ ok }) => !ok).length;
        return {
          json: {
            status: failed === 0 ? 'completed' : 'partial_success',
            results,
            successful_count: entries.length - failed,
            failed_count: failed,
            batch_size: entries.length,
            total_processing_time_ms: systemClock.now() - start,
            server_rendered: true,
          },
        };
      },
    }),
    endpoint({
      ...common,
      scope: 'read',
      method: 'GET',
      path: '/deep_tree_echo/status',
      summary: 'What runs, in one object.',
      answers: { 200: doneSchema },
      handle: () => ({ json: status() }),
    }),
  ];
}

function checkShape(
  { membrane_depth: depth, esn_size: size }: { membrane_depth?: number | undefined; esn_size?: number | undefined },
  config: ReturnType<ReferenceParts['config']>,
): void {
  if ((depth ?? config.depth) !== config.depth || (size ?? config.units) !== config.units) {
    const network = `depth ${config.depth} and ${config.units} units`;
    throw new BridgeError('impossible', `Expected the configured network, which has ${network}: leave both fields out`);
  }
}

function answerOf(input: string, result: DtesnResultJson, intermediate: boolean): object {
  const ms = Object.fromEntries(result.stages.map((stage) => [stage.name, stage.ms]));
  const dtesn = (ms['transform'] ?? 0) + (ms['model'] ?? 0) + (ms['bseries'] ?? 0);
  return {
    status: 'success',
    result: resultOf(input, result, intermediate),
    processing_time_ms: result.totalMs,
    membrane_layers: result.model.depth,
    server_rendered: true,
    engine_integration: { engine: result.engine.label, simulated: result.engine.simulated },
    performance_metrics: {
      total_processing_time_ms: result.totalMs,
      dtesn_processing_time_ms: dtesn,
      overhead_ms: Math.max(0, result.totalMs - dtesn),
      throughput_chars_per_second: result.totalMs > 0 ? (1000 * input.length) / result.totalMs : null,
    },
    degraded_mode: result.membranes.some(({ active }) => !active),
    fallback_used: result.input.note !== null,
    recovery_info: result.input.note,
  };
}

function resultOf(input: string, result: DtesnResultJson, intermediate: boolean): object {
  return {
    input,
    output: result.features.meanState,
    membrane_layers: result.model.depth,
    esn_state: { final_state: result.features.endState, units: result.model.units, steps: result.model.steps },
    bseries_computation: {
      order: result.bseries.order,
      trees: result.bseries.trees,
      coefficients: result.bseries.taylor,
    },
    processing_time_ms: result.totalMs,
    engine_integration: { engine: result.engine.label, simulated: result.engine.simulated },
    ...(intermediate && { intermediate_results: result.membranes }),
  };
}
