// Raspberry Pi 3. In the kernel's tree I2C0 is on the pins of HATs' memories.
#define HEADER_BUS i2c1
#define HEADER_PWM_PINS <&pwm0_gpio12 &pwm1_gpio13>
#define CAMERA_BUS i2c0
#define CAMERA_BUS_PINS i2c0_gpio44
#define CAMERA_RECEIVER csi1
#define CAMERA_POWER_LINE &expgpio 5
