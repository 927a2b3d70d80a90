package io.github.dl4jfuse.acceleration;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * Answers DL4J's question for oneDNN, which goes to a class name that ND4J has given up.
 *
 * <p>{@code BaseMKLDNNHelper} looks up {@value #OLD_NAME} by reflection, calls its static {@code getInstance()} and then
 * {@code isUseMKLDNN()}. The loader made here defines a class of that name from the bytes of {@link OneDnnAnswer}, so no
 * class of ours lies in ND4J's package, where it would split the package and hide the real class in releases that have
 * it.
 */
final class EnvironmentAdapter {

    static final String OLD_NAME = "org.nd4j.nativeblas.Nd4jCpu$Environment";

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

    /** Returns a loader that knows the old name and leaves everything else to its parent. */
    static ClassLoader loader(ClassLoader parent) {
        return new ClassLoader(parent) {
            @Override
            protected Class<?> findClass(String name) throws ClassNotFoundException {
                if (!name.equals(OLD_NAME)) {
                    throw new ClassNotFoundException(name);
                }
                byte[] renamed = rename(bytesOf(OneDnnAnswer.class), OneDnnAnswer.class.getName(), OLD_NAME);
                return defineClass(name, renamed, 0, renamed.length);
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
