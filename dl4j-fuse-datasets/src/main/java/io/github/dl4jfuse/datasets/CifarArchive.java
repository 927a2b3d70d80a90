package io.github.dl4jfuse.datasets;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/** Unpacks the batches from the official archive of CIFAR-10, all of them or none. */
final class CifarArchive {
    private static final String FOLDER = "cifar-10-batches-bin/";

    private static final long BATCH_BYTES = (long) CifarBatches.IMAGES_PER_BATCH * CifarBatches.RECORD;

    private CifarArchive() {}

    /**
     * Writes the batches into {@code folder}. Entries of any other name or kind are passed over.
     *
     * @param subject how messages call the archive, the beginning of a sentence
     */
    static void unpack(Path archive, Path folder, String subject, String remedy) {
        Map<String, Path> parts = new LinkedHashMap<>();
        try {
            unpackParts(archive, folder, parts);
            for (String batch : CifarFiles.ALL_BATCHES) {
                if (!parts.containsKey(batch)) {
                    throw new DataException(subject + " lacks " + FOLDER + batch + ". " + remedy);
                }
            }
            for (Map.Entry<String, Path> part : parts.entrySet()) {
                Files.move(part.getValue(), folder.resolve(part.getKey()), StandardCopyOption.ATOMIC_MOVE);
            }
        } catch (IOException e) {
            throw new DataException(subject + " could not be unpacked to " + folder + " (" + e + "). " + remedy, e);
        } finally {
            parts.values().forEach(Download::deleteLeftover);
        }
    }

    private static void unpackParts(Path archive, Path folder, Map<String, Path> parts) throws IOException {
        try (InputStream packed = Files.newInputStream(archive);
                TarArchiveInputStream tar = new TarArchiveInputStream(DataFile.unpack(packed))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                String batch = batchOf(entry);
                if (batch != null && !parts.containsKey(batch)) {
                    if (entry.getSize() > BATCH_BYTES) {
                        throw new IOException(entry.getName() + " has " + entry.getSize() + " bytes instead of the "
                                + BATCH_BYTES + " of a batch");
                    }
                    Path part = Download.temporaryBeside(folder.resolve(batch));
                    parts.put(batch, part);
                    Files.copy(tar, part);
                }
            }
        }
    }

    /** Returns the batch that an entry holds, or null. Only names that are expected become names on disk. */
    private static String batchOf(TarArchiveEntry entry) {
        if (!entry.isFile() || entry.isLink() || entry.isSymbolicLink()) {
            return null;
        }
        return CifarFiles.ALL_BATCHES.stream()
                .filter(batch -> entry.getName().equals(FOLDER + batch))
                .findFirst()
                .orElse(null);
    }
}
