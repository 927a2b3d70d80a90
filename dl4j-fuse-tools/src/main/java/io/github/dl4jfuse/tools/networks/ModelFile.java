package io.github.dl4jfuse.tools.networks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.util.ModelSerializer;

/** Files of DL4J's ModelSerializer. */
public final class ModelFile {

    private ModelFile() {}

    /**
     * Returns the network of a file, of whichever kind it is.
     *
     * @throws IllegalArgumentException with a sentence if there is no such file, or DL4J cannot read it
     */
    public static Model load(Path path) {
        if (!Files.isRegularFile(path)) {
            throw new IllegalArgumentException("There is no file " + path + ".");
        }
        File file = path.toFile();
        try {
            return isGraph(file)
                    ? ModelSerializer.restoreComputationGraph(file)
                    : ModelSerializer.restoreMultiLayerNetwork(file);
        } catch (IOException | RuntimeException e) {
            String message = e.getMessage() == null ? e.toString() : e.getMessage();
            throw new IllegalArgumentException(
                    path + " is no saved model that DL4J reads: "
                            + message.lines().findFirst().orElse(message),
                    e);
        }
    }

    private static boolean isGraph(File file) throws IOException {
        try (ZipFile zip = new ZipFile(file)) {
            ZipEntry configuration = zip.getEntry(ModelSerializer.CONFIGURATION_JSON);
            if (configuration == null) {
                throw new IOException("it holds no " + ModelSerializer.CONFIGURATION_JSON);
            }
            try (InputStream stream = zip.getInputStream(configuration)) {
                JsonNode json = new ObjectMapper().readTree(stream);
                return json.has("vertices");
            }
        }
    }
}
