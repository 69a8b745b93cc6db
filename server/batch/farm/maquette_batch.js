// SPDX-License-Identifier: MIT
// A job type for Flamenco 3: chunks of frames, each painted by `maquette batch` on some worker, then joined into one
// folder with its pages. Put it into the manager's `scripts` folder, and set the two-way variable `maquette` to the
// command on your workers. What a chunk has painted is not painted again when its task is run anew.

const JOB_TYPE = {
    label: "Maquette Batch",
    description: "Paint a picture of every frame that obeys the blocking",
    settings: [
        {
            key: "frames", type: "string", required: true,
            eval: "f'{C.scene.frame_start}-{C.scene.frame_end}'",
            description: "Frames to paint, such as 1-48,60",
        },
        { key: "chunk_size", type: "int32", default: 8, visible: "submission", description: "Frames of one task" },
        { key: "cameras", type: "string", default: "", description: "all, or names with commas between" },
        { key: "seeds", type: "string", default: "", description: "Such as 0-3; empty for the scene's own" },
        { key: "settings", type: "string", default: "", description: "As --set takes them, with ; between: steps=20" },
        { key: "model", type: "string", default: "", description: "A model's name; empty for the worker's first" },
        { key: "masks", type: "bool", default: false, description: "Object masks beside the pictures" },
        {
            key: "out", type: "string", subtype: "dir_path", required: true, visible: "submission",
            description: "Folder of the results, which every worker can write",
        },
        { key: "blendfile", type: "string", required: true, visible: "web", eval: "bpy.data.filepath" },
    ],
};

function compileJob(job) {
    const settings = job.settings;
    const parts = frameChunker(settings.frames, settings.chunk_size).map((chunk) => {
        const folder = path.join(settings.out, "parts", chunk.replace(/[^0-9-]+/g, "_"));
        const task = author.Task(`paint-${chunk}`, "misc");
        task.addCommand(author.Command("exec", { exe: "{maquette}", args: batchArguments(settings, chunk, folder) }));
        job.addTask(task);
        return { task, folder };
    });
    const join = author.Task("join", "misc");
    const folders = parts.map((part) => part.folder);
    join.addCommand(author.Command("exec", { exe: "{maquette}", args: ["join", ...folders, "--out", settings.out] }));
    for (const part of parts) {
        join.addDependency(part.task);
    }
    job.addTask(join);
}

function batchArguments(settings, chunk, folder) {
    const words = ["batch", settings.blendfile, `--frames=${chunk}`, "--out", folder];  // a frame may be below 0
    for (const name of ["cameras", "seeds", "model"]) {
        if (settings[name]) {
            words.push(`--${name}`, settings[name]);
        }
    }
    for (const setting of (settings.settings || "").split(";").map((text) => text.trim()).filter(Boolean)) {
        words.push("--set", setting);
    }
    return settings.masks ? [...words, "--masks"] : words;
}
