package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.tools.networks.Architecture;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.learning.config.NoOp;

/**
 * What a run was made with, beside the names: a run counts for another comparison only where all three are the same.
 *
 * @param network digest of the configuration without updaters
 * @param data digest of all examples and of the batches they come in
 * @param updater digest of the optimiser: its settings as text, and its listener's
 */
public record Fingerprint(String network, String data, String updater) {

    private static final int READING_BATCH = 1_000;

    private static final int DIGITS = 16;

    private static final Pattern ADDRESS = Pattern.compile("\\$\\$Lambda[^\\s,)]*|@[0-9a-f]+");

    /** Takes the optimiser of a run: what it puts into each layer, and its listeners. */
    static String of(Workload workload, Contestant contestant, Equipment equipment) {
        List<Layer> layers =
                workload.architecture(1).with(equipment.updaters()::apply).layers();
        StringBuilder text = new StringBuilder(contestant.algorithm() + equipment.settings());
        for (Layer layer : layers) {
            text.append(ADDRESS.matcher(String.valueOf(layer.getIDropout())).replaceAll(""));
            if (layer instanceof BaseLayer base) {
                text.append(inWords(base.getIUpdater())).append(inWords(base.getBiasUpdater()));
                text.append(ADDRESS.matcher(String.valueOf(base.getRegularization()))
                        .replaceAll(""));
            }
        }
        equipment.listeners().forEach(listener -> text.append(inWords(listener)));
        return digest(text + inWords(equipment.evaluation()));
    }

    /** Takes the network of a workload; what the comparison replaces in it does not count. */
    static String of(Workload workload) {
        Architecture architecture = workload.architecture(1).withUpdater(new NoOp());
        MessageDigest digest = sha256();
        try {
            update(digest, architecture.json());
        } catch (RuntimeException e) { // a layer of the user's own that cannot be written
            architecture.layers().forEach(layer -> update(digest, inWords(layer)));
        }
        update(digest, architecture.origin()); // the weights themselves differ in the last digits between machines
        return hex(digest);
    }

    /** Takes the data of a workload. */
    static String of(Workload workload, Workload.Split data) {
        MessageDigest digest = sha256();
        update(digest, "batch " + workload.batch());
        for (var source : List.of(data.train(), data.validation(), data.test())) {
            DataSetIterator all = source.iterator(READING_BATCH);
            while (all.hasNext()) {
                DataSet batch = all.next();
                update(digest, batch.getFeatures());
                update(digest, batch.getLabels());
                update(digest, batch.getFeaturesMaskArray());
                update(digest, batch.getLabelsMaskArray());
            }
            update(digest, "end");
        }
        return hex(digest);
    }

    /** Returns what differs, for a sentence. */
    String differenceTo(Fingerprint other) {
        return Stream.of(
                        Objects.equals(network, other.network) ? "" : "another network",
                        Objects.equals(data, other.data) ? "" : "other data",
                        Objects.equals(updater, other.updater) ? "" : "another updater")
                .filter(difference -> !difference.isEmpty())
                .collect(Collectors.joining(" and "));
    }

    /** Text and plain fields, as not every class has a text that tells its settings; no addresses of objects. */
    private static String inWords(Object object) {
        if (object == null) {
            return "none";
        }
        StringBuilder text = new StringBuilder(object.getClass().getName());
        text.append(ADDRESS.matcher(String.valueOf(object)).replaceAll(""));
        for (Class<?> type = object.getClass(); type != null && type != Object.class; type = type.getSuperclass()) {
            for (Field field : type.getDeclaredFields()) {
                if (isPlain(field.getType()) && !Modifier.isStatic(field.getModifiers()) && field.trySetAccessible()) {
                    text.append(' ').append(field.getName()).append('=').append(value(field, object));
                }
            }
        }
        return text.toString();
    }

    private static boolean isPlain(Class<?> type) {
        return type.isPrimitive() || type.isEnum() || type == String.class || Number.class.isAssignableFrom(type);
    }

    private static Object value(Field field, Object object) {
        try {
            return field.get(object);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void update(MessageDigest digest, INDArray array) {
        if (array == null) {
            update(digest, "none");
            return;
        }
        update(digest, array.dataType().name());
        for (long size : array.shape()) {
            update(digest, " " + size);
        }
        double[] values = array.castTo(DataType.DOUBLE).dup('c').data().asDouble();
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Double.BYTES);
        bytes.asDoubleBuffer().put(values);
        digest.update(bytes);
    }

    private static void update(MessageDigest digest, String text) {
        digest.update(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Returns the digest of a text. */
    static String digest(String text) {
        MessageDigest digest = sha256();
        update(digest, text);
        return hex(digest);
    }

    private static String hex(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest()).substring(0, DIGITS);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
