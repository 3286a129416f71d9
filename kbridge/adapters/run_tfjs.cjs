// Runs a TF.js graph model once: node run_tfjs.cjs <folder>
// <folder>/request.json says what to run, <folder>/inputs.bin holds the input bytes one after another;
// <folder>/outputs.bin and <folder>/response.json are written. Files carry the tensors, so whatever the library
// prints can't damage them.
"use strict";
const fs = require("fs");
const path = require("path");

const ARRAYS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

// Only files that lie in the model's own folder are read.
function inside(folder, name) {
  if (name !== path.basename(name)) {
    throw new Error(`model.json names a weight file outside of its folder: ${name}`);
  }
  return path.join(folder, name);
}

function aligned(bytes) {
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
}

function fromDisk(folder) {
  return {
    load: async () => {
      const model = JSON.parse(fs.readFileSync(path.join(folder, "model.json"), "utf8"));
      const files = model.weightsManifest.flatMap((group) => group.paths);
      const shards = files.map((name) => fs.readFileSync(inside(folder, name)));
      return {
        modelTopology: model.modelTopology,
        signature: model.signature,
        userDefinedMetadata: model.userDefinedMetadata,
        weightSpecs: model.weightsManifest.flatMap((group) => group.weights),
        weightData: aligned(Buffer.concat(shards)),
      };
    },
  };
}

function readInputs(tf, request, bytes) {
  const feed = {};
  let start = 0;
  for (const { name, dtype, shape, size } of request.inputs) {
    const values = new ARRAYS[dtype](aligned(bytes.subarray(start, start + size)));
    feed[name] = tf.tensor(values, shape, dtype);
    start += size;
  }
  return feed;
}

// Loops and branches need executeAsync, and the library says so; everything else runs faster without.
async function execution(model, feed, outputs) {
  try {
    dispose(model.execute(feed, outputs));
    return async () => model.execute(feed, outputs);
  } catch (error) {
    if (!/executeAsync/.test(error.message)) throw error;
    return () => model.executeAsync(feed, outputs);
  }
}

function listed(result) {
  return Array.isArray(result) ? result : [result];
}

function dispose(result) {
  for (const tensor of listed(result)) tensor.dispose();
}

async function median(run, repeats) {
  const times = [];
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    const result = await run();
    for (const tensor of listed(result)) tensor.dataSync();
    times.push(performance.now() - start);
    dispose(result);
  }
  times.sort((a, b) => a - b);
  const middle = times.length >> 1;
  return times.length % 2 ? times[middle] : (times[middle - 1] + times[middle]) / 2;
}

async function main(folder) {
  const request = JSON.parse(fs.readFileSync(path.join(folder, "request.json"), "utf8"));
  console.log = console.info = console.warn = () => {}; // standard error is for the reason of a failure
  const tf = require(request.package);
  await tf.setBackend("cpu");
  const model = await tf.loadGraphModel(fromDisk(request.model));
  const feed = readInputs(tf, request, fs.readFileSync(path.join(folder, "inputs.bin")));
  const run = await execution(model, feed, request.outputs);
  const response = { outputs: [], milliseconds: 0 };
  const chunks = [];
  for (const tensor of listed(await run())) {
    const values = tensor.dataSync();
    chunks.push(Buffer.from(values.buffer, values.byteOffset, values.byteLength));
    response.outputs.push({ dtype: tensor.dtype, shape: tensor.shape, size: values.byteLength });
  }
  if (request.repeats > 0) response.milliseconds = await median(run, request.repeats);
  fs.writeFileSync(path.join(folder, "outputs.bin"), Buffer.concat(chunks));
  fs.writeFileSync(path.join(folder, "response.json"), JSON.stringify(response));
}

main(process.argv[2]).catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
