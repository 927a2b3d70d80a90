package io.github.dl4jfuse;

import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Sums the memory of all arrays that can be reached from an object by way of its own package and of the L-BFGS engine's. */
public final class HeldMemory {

    private static final Set<String> ENGINE = Set.of("io.github.dl4jfuse.optim.lbfgs", "io.github.dl4jfuse.linalg");

    private final String home;
    private final Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    private long bytes;

    private HeldMemory(Object root) {
        home = root.getClass().getPackageName();
    }

    /**
     * Returns the bytes, each buffer counted once however many views there are.
     *
     * @param elsewhere arrays whose memory is not counted
     */
    public static long of(Object root, INDArray... elsewhere) {
        HeldMemory memory = new HeldMemory(root);
        try {
            memory.visit(elsewhere);
            memory.bytes = 0;
            memory.visit(root);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
        return memory.bytes;
    }

    private void visit(Object object) throws IllegalAccessException {
        if (object == null) {
            return;
        }
        if (object instanceof INDArray array) {
            DataBuffer whole = array.data().originalDataBuffer();
            DataBuffer buffer = whole == null ? array.data() : whole;
            if (seen.add(buffer)) {
                bytes += buffer.length() * array.dataType().width();
            }
        } else if (seen.add(object) && object.getClass().isArray()) {
            if (object instanceof double[] numbers) {
                bytes += (long) numbers.length * Double.BYTES;
            } else if (!object.getClass().getComponentType().isPrimitive()) {
                for (int i = 0; i < Array.getLength(object); i++) {
                    visit(Array.get(object, i));
                }
            }
        } else if (isOurs(object.getClass())) {
            for (Class<?> type = object.getClass(); isOurs(type); type = type.getSuperclass()) {
                for (Field field : type.getDeclaredFields()) {
                    if (!Modifier.isStatic(field.getModifiers())
                            && !field.getType().isPrimitive()) {
                        field.setAccessible(true);
                        visit(field.get(object));
                    }
                }
            }
        }
    }

    private boolean isOurs(Class<?> type) {
        return !type.isEnum() && (type.getPackageName().equals(home) || ENGINE.contains(type.getPackageName()));
    }
}
