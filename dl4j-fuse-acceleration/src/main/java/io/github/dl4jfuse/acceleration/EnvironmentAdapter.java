package io.github.dl4jfuse.acceleration;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.deeplearning4j.nn.layers.mkldnn.MKLDNNBatchNormHelper;
import org.deeplearning4j.nn.layers.mkldnn.MKLDNNConvHelper;
import org.deeplearning4j.nn.layers.mkldnn.MKLDNNSubsamplingHelper;

/**
 * Answers the questions that DL4J asks by name, through the class loader that it offers for such things.
 *
 * <p>{@code BaseMKLDNNHelper} looks up {@value #OLD_NAME} by reflection, calls its static {@code getInstance()} and then
 * {@code isUseMKLDNN()}. The loader made here defines a class of that name from the bytes of {@link OneDnnAnswer}, so no
 * class of ours lies in ND4J's package, where it would split the package and hide the real class in releases that have
 * it.
 *
 * <p>Layers make their helpers by name, too, and get some that put right what the real ones do wrong. Those for
 * convolution and batch normalization are derived from the real ones, so DL4J's {@code instanceof} still holds.
 */
final class EnvironmentAdapter {

    static final String OLD_NAME = "org.nd4j.nativeblas.Nd4jCpu$Environment";

    private static final Map<String, Class<?>> STAND_INS = Map.of(
            OLD_NAME,
            OneDnnAnswer.class,
            MKLDNNConvHelper.class.getName(),
            ConvolutionStandIn.class,
            MKLDNNBatchNormHelper.class.getName(),
            BatchNormStandIn.class,
            MKLDNNSubsamplingHelper.class.getName(),
            PoolingStandIn.class);

    private EnvironmentAdapter() {}

    /** Returns whether the class with the old name is there. */
    static boolean isNeedless() {
        try {
            Class.forName(OLD_NAME, false, EnvironmentAdapter.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException | LinkageError e) {
            return false;
        }
    }

    /** Returns a loader that answers to these names and leaves everything else to its parent. */
    static ClassLoader loader(ClassLoader parent) {
        return new ClassLoader(parent) {
            @Override
            protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
                if (!STAND_INS.containsKey(name)) {
                    return super.loadClass(name, resolve);
                }
                synchronized (getClassLoadingLock(name)) {
                    Class<?> known = findLoadedClass(name);
                    return known != null ? known : standIn(name);
                }
            }

            private Class<?> standIn(String name) {
                Class<?> original = STAND_INS.get(name);
                byte[] renamed = rename(bytesOf(original), original.getName(), name);
                return defineClass(name, renamed, 0, renamed.length);
            }

            /** What a stand-in is derived from is found even where the parent does not know it. */
            @Override
            protected Class<?> findClass(String name) throws ClassNotFoundException {
                return EnvironmentAdapter.class.getClassLoader().loadClass(name);
            }
        };
    }

    private static byte[] bytesOf(Class<?> type) {
        try (InputStream stream = type.getResourceAsStream(type.getSimpleName() + ".class")) {
            return stream.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Replaces a class's own name in its class file: one entry of the constant pool, two bytes of length before it. */
    private static byte[] rename(byte[] classFile, String from, String to) {
        String text = new String(classFile, StandardCharsets.ISO_8859_1);
        return text.replace(constant(from), constant(to)).getBytes(StandardCharsets.ISO_8859_1);
    }

    private static String constant(String className) {
        String internal = className.replace('.', '/');
        return "" + (char) (internal.length() >> 8) + (char) (internal.length() & 0xFF) + internal;
    }
}
