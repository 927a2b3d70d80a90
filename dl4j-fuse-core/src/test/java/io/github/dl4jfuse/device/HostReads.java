package io.github.dl4jfuse.device;

import io.github.dl4jfuse.optim.lbfgs.ForcedReduction;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Set;
import org.nd4j.linalg.api.blas.Level1;
import org.nd4j.linalg.api.ops.IndexAccumulation;
import org.nd4j.linalg.api.ops.Op;
import org.nd4j.linalg.api.ops.ReduceOp;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner;
import org.nd4j.linalg.factory.BlasWrapper;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Counts, until it is closed, how often Java waits for numbers that a backend computed: BLAS calls that return one,
 * reductions to one number, and sums that are read back together. Reading an element of an array is not seen.
 */
final class HostReads implements AutoCloseable {

    private static final Set<String> SCALAR_CALLS = Set.of("dot", "nrm2", "asum", "iamax", "iamin");

    private final BlasWrapper blas = Nd4j.getBlasWrapper();
    private final OpExecutioner executioner = Nd4j.getExecutioner();
    private long calls;
    private long before = ForcedReduction.readBacks();

    HostReads() {
        Level1 level1 = counting(Level1.class, blas.level1());
        install(
                "BLAS_WRAPPER_INSTANCE",
                Proxy.newProxyInstance(
                        HostReads.class.getClassLoader(),
                        new Class<?>[] {BlasWrapper.class},
                        (proxy, method, arguments) -> {
                            if (method.getName().equals("level1")) {
                                return level1;
                            }
                            count(method.getName());
                            return call(blas, method, arguments);
                        }));
        install(
                "OP_EXECUTIONER_INSTANCE",
                Proxy.newProxyInstance(
                        HostReads.class.getClassLoader(),
                        new Class<?>[] {OpExecutioner.class},
                        (proxy, method, arguments) -> {
                            Object result = call(executioner, method, arguments);
                            if (arguments != null && arguments.length > 0 && isScalarReduction(arguments[0])) {
                                calls++;
                            }
                            return result;
                        }));
    }

    private static boolean isScalarReduction(Object argument) {
        return (argument instanceof ReduceOp || argument instanceof IndexAccumulation)
                && ((Op) argument).z() != null
                && ((Op) argument).z().length() == 1;
    }

    private <T> T counting(Class<T> type, T target) {
        return type.cast(Proxy.newProxyInstance(
                HostReads.class.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    count(method.getName());
                    return call(target, method, arguments);
                }));
    }

    private void count(String name) {
        if (SCALAR_CALLS.contains(name)) {
            calls++;
        }
    }

    private static Object call(Object target, java.lang.reflect.Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private static void install(String name, Object value) {
        try {
            Field field = Nd4j.class.getDeclaredField(name);
            field.setAccessible(true);
            field.set(null, value);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("ND4J keeps " + name + " elsewhere in this release.", e);
        }
    }

    /** Returns the number since the last call of this. */
    long take() {
        long now = ForcedReduction.readBacks();
        long taken = calls + now - before;
        calls = 0;
        before = now;
        return taken;
    }

    @Override
    public void close() {
        install("BLAS_WRAPPER_INSTANCE", blas);
        install("OP_EXECUTIONER_INSTANCE", executioner);
    }
}
