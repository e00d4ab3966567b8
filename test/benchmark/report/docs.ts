export const writeDocs = async (_run: unknown): Promise<void> => undefined;
