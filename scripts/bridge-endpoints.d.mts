export function endpointTable(document: { paths: Record<string, Record<string, unknown>> }): string;
