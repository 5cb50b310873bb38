// The schema that reflection serves: the files of a descriptor set, found by name and by symbol.
//
// FileDescriptorProtos are kept as the bytes that the compiler wrote and served untouched: decoding and encoding them
// again loses what this decoder does not know, and clients then fail on maps and reserved ranges. They are decoded once
// at the start only to learn names and imports.

import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor/index.js';

export class DescriptorIndex {
  readonly #files = new Map<string, IndexedFile>();
  /** Full name of every service, method, message, field, oneof, enum and enum value → its file. */
  readonly #symbols = new Map<string, string>();
  readonly #messages = new Set<string>();

  /** `set`: an encoded `google.protobuf.FileDescriptorSet` that includes all imports. */
  constructor(set: Uint8Array) {
    for (const bytes of filesIn(set)) this.#add(bytes);
  }

  /** The file of this name, then all that it imports; `undefined` when there is no such file. */
  fileByName(name: string): readonly Uint8Array[] | undefined {
    if (!this.#files.has(name)) return undefined;
    const found = new Map<string, Uint8Array>();
    const open = [name];
    for (let next = open.shift(); next !== undefined; next = open.shift()) {
      const file = this.#files.get(next);
      if (file === undefined || found.has(next)) continue;
      found.set(next, file.bytes);
      open.push(...file.imports);
    }
    return [...found.values()];
  }

  /** As `fileByName` for the file that declares the symbol (a full name without leading dot). */
  fileBySymbol(symbol: string): readonly Uint8Array[] | undefined {
    const file = this.#symbols.get(symbol);
    return file === undefined ? undefined : this.fileByName(file);
  }

  isMessage(fullName: string): boolean {
    return this.#messages.has(fullName);
  }

  #add(bytes: Uint8Array): void {
    const file = descriptor.FileDescriptorProto.toObject(descriptor.FileDescriptorProto.decode(bytes)) as FileNames;
    const { name, package: scope = '' } = file;
    this.#files.set(name, { bytes, imports: file.dependency ?? [] });
    const declare = (...path: readonly string[]): string => {
      const fullName = path.filter((part) => part !== '').join('.');
      this.#symbols.set(fullName, name);
      return fullName;
    };
    const declareEnum = (parent: string, declared: EnumNames): void => {
      declare(parent, declared.name);
      // Values of an enum are siblings of the enum, as in C++.
      for (const value of declared.value ?? []) declare(parent, value.name);
    };
    const declareMessage = (parent: string, message: MessageNames): void => {
      const fullName = declare(parent, message.name);
      this.#messages.add(fullName);
      for (const member of [...(message.field ?? []), ...(message.oneofDecl ?? [])]) declare(fullName, member.name);
      for (const nested of message.nestedType ?? []) declareMessage(fullName, nested);
      for (const nested of message.enumType ?? []) declareEnum(fullName, nested);
    };
    for (const message of file.messageType ?? []) declareMessage(scope, message);
    for (const declared of file.enumType ?? []) declareEnum(scope, declared);
    for (const service of file.service ?? []) {
      const fullName = declare(scope, service.name);
      for (const method of service.method ?? []) declare(fullName, method.name);
    }
  }
}

interface IndexedFile {
  readonly bytes: Uint8Array;
  readonly imports: readonly string[];
}

interface Named {
  readonly name: string;
}

interface EnumNames extends Named {
  readonly value?: readonly Named[];
}

interface MessageNames extends Named {
  readonly field?: readonly Named[];
  readonly oneofDecl?: readonly Named[];
  readonly nestedType?: readonly MessageNames[];
  readonly enumType?: readonly EnumNames[];
}

/** The parts of a decoded FileDescriptorProto that are read. */
interface FileNames extends Named {
  readonly package?: string;
  readonly dependency?: readonly string[];
  readonly messageType?: readonly MessageNames[];
  readonly enumType?: readonly EnumNames[];
  readonly service?: readonly (Named & { readonly method?: readonly Named[] })[];
}

/** The entries of `FileDescriptorSet.file` (field 1) as they stand. */
function filesIn(set: Uint8Array): readonly Uint8Array[] {
  const reader = protobuf.Reader.create(set);
  const files: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === FILE_TAG) files.push(reader.bytes());
    else reader.skipType(tag & 7);
  }
  return files;
}

const FILE_TAG = (1 << 3) | 2;
